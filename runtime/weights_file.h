// Named tensors in a file of one of three formats, which the ending of its name tells apart.
#pragma once
#include <span>
#include <string>

#include "runtime/safetensors.h"

namespace gradc {

/// *.npz, *.json; anything else is safetensors. `state` is that of the model that is to take the
/// tensors, empty where there is none: it bounds what an archive may inflate to, and names and
/// types what a .json file does not. Throws Error: InputOutput, E0911 where the file cannot be
/// read, E0802 where it does not fit into memory; ModelOrData, E0921 where it is none of its
/// format (E0912, E0913 and E0917 for .npz).
NamedTensors read_weights(const std::string& path, std::span<const NamedTensor> state = {});

/// In the format of the ending; the file appears complete or not at all. Metadata is kept by
/// safetensors alone. Throws Error (InputOutput, E0922).
void write_weights(const std::string& path, const NamedTensors& content);

}  // namespace gradc
