// What the body of a model itself applied to tensors, for tables and pictures of a model.
#pragma once
#include "frontend/ownership.h"

namespace gradc {

/// One call of a layer or function, one operator or one slice in the model's own body.
struct Application {
  std::string path;              // "hidden", "x.flatten"; empty for an operator
  std::string what;              // "dense", "flatten", "... / 255", "x + shortcut"
  Instance* instance = nullptr;  // of a layer
  bool is_operator = false;
  std::vector<TensorId> operands;
  std::vector<TensorId> results;
  int64_t multiply_adds = 0;    // of a function, whose contractions count for the model
  size_t instances_before = 0;  // how many instances there were right after it
};

/// A name of the model's body and the tensor it stood for last.
struct BoundName {
  std::string name;  // "hidden", "level.2.x" in a loop
  TensorId value{};
};

/// Both, in the order of the text.
struct BodyRecord {
  std::vector<Application> applications;
  std::vector<BoundName> bindings;
};

/// Appends the tensors in a value, those in lists too.
void collect_tensors(const Value& value, std::vector<TensorId>& tensors);

}  // namespace gradc
