// What a caller gives to a model and gets from it, whatever the program.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "runtime/program.h"

namespace gradc {

/// A tensor with rows on its first axis; the type is that of one program, so its row count is not
/// that of others.
struct NamedRow {
  std::string name;
  Type type;
  int64_t limit = 0;             // of an integer input: values are below it; 0: any
  bool is_for_training = false;  // an input that training and evaluation read
  bool is_for_prediction = false;
};

struct ModelInterface {
  std::vector<NamedRow> inputs;   // data, in the order in which programs name it first
  std::vector<NamedRow> outputs;  // of prediction
};

/// The dtype and the sizes after the first axis.
Type row_type(const Type& type);

ModelInterface interface_of(std::span<const Program> programs);

}  // namespace gradc
