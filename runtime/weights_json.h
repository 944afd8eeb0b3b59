// Named tensors as JSON: to read, to compare, and for programs that know nothing else.
#pragma once
#include <span>
#include <string>

#include "runtime/safetensors.h"

namespace gradc {

/// {"NAME": {"dtype": "f32", "shape": [2, 3], "values": [[…], […]]}, …}, a line for each tensor.
/// Numbers read back to the same bits; NaN and infinities are the strings "nan", "inf" and "-inf".
/// Throws Error (InputOutput, E0922).
void write_json_weights(const std::string& path, const NamedTensors& content);

/// What write_json_weights writes, `dtype` and `shape` in front of `values`; or nested lists alone,
/// {"NAME": [[…], …], …}, or [[[…], …], …] without names, which are then those of `state` that are
/// neither slot nor step, in its order ("0", "1", … where that is not given or too short). Nested
/// lists take the dtype of `state`, else f32. Throws Error: InputOutput, E0911, E0802;
/// ModelOrData, E0921 that names file and tensor.
NamedTensors read_json_weights(const std::string& path, std::span<const NamedTensor> state = {});

}  // namespace gradc
