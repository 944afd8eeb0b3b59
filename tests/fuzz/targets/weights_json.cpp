// Weights as JSON, with names and types from a model and without.
#include "runtime/weights_json.h"

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(weights_json) {
  static const std::vector<NamedTensor> state = {{"a", Tensor(DType::F64, {2, 2})},
                                                 {"a:slot", Tensor(DType::F32, {2})},
                                                 {"step", Tensor(DType::I64, Shape{})},
                                                 {"b", Tensor(DType::U8, {2})}};
  const std::string& path = fuzz::file_of(bytes);
  read_json_weights(path, bytes.size() % 2 == 1 ? std::span<const NamedTensor>(state)
                                                : std::span<const NamedTensor>());
}
