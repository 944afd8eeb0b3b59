// Weights in the safetensors format, and the progress of a run in them.
#include "runtime/safetensors.h"

#include "runtime/saved_progress.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(safetensors) {
  const std::string& path = fuzz::file_of(bytes);
  NamedTensors content = read_safetensors(path);
  if (content.metadata.contains("progress")) take_progress(content, path);
}
