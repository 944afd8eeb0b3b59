// Which format reads and writes a file.
#include "runtime/weights_file.h"

#include "runtime/weights_json.h"
#include "runtime/weights_npz.h"

namespace gradc {
namespace {

/// Slots of an optimizer may come with the weights that a model for prediction takes.
constexpr int64_t kMostTensorsPerWeight = 8;
constexpr int64_t kSlackBytes = int64_t{16} << 20;

int64_t most_bytes(std::span<const NamedTensor> state) {
  int64_t bytes = 0;
  for (const NamedTensor& tensor : state) bytes += tensor.value.size_bytes();
  return kMostTensorsPerWeight * bytes + kSlackBytes;
}

}  // namespace

NamedTensors read_weights(const std::string& path, std::span<const NamedTensor> state) {
  if (path.ends_with(".json")) return read_json_weights(path, state);
  if (!path.ends_with(".npz")) return read_safetensors(path);
  return read_npz_weights(path, state.empty() ? std::nullopt : std::optional(most_bytes(state)));
}

void write_weights(const std::string& path, const NamedTensors& content) {
  if (path.ends_with(".json")) return write_json_weights(path, content);
  if (path.ends_with(".npz")) return write_npz_weights(path, content);
  write_safetensors(path, content);
}

}  // namespace gradc
