// Named tensors as NumPy's archive of arrays.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/safetensors.h"

namespace gradc {

/// An array for each tensor: member NAME.npy, stored; numpy.load reads it (bf16 as V2, the form of
/// the package ml_dtypes). Throws Error (InputOutput, E0922), also where it passes 4 GiB.
void write_npz_weights(const std::string& path, const NamedTensors& content);

/// Members stored or deflated, in the archive's order. Before any is inflated its header is read,
/// and the tensors together must not have more than `most_bytes` (else E0921). Throws Error:
/// InputOutput, E0911, E0802; ModelOrData, E0917 (the archive), E0912, E0913 (an array), E0921
/// (names).
NamedTensors read_npz_weights(const std::string& path, std::optional<int64_t> most_bytes = {});

}  // namespace gradc
