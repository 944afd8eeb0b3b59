// Weights in the safetensors format.
#include "runtime/safetensors.h"

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(safetensors) { gradc::read_safetensors(gradc::fuzz::file_of(bytes)); }
