// Whether the tensors of a file are the state that a model needs.
#pragma once
#include <span>
#include <string>

#include "runtime/safetensors.h"

namespace gradc {

/// A parameter, slot or other state of a model, by its path.
struct StateSpec {
  std::string name;
  Type type;
};

/// Passes if `content` has exactly the tensors of `specs`, in any order, with their dtypes and
/// shapes. Otherwise throws Error (ModelOrData, E0920) that lists every difference at once: tensors
/// that are missing (with the nearest names of the file), of another shape or dtype, and those that
/// the model has no use for. `path` names the file in the message.
void check_state(std::span<const StateSpec> specs, const NamedTensors& content,
                 const std::string& path);

}  // namespace gradc
