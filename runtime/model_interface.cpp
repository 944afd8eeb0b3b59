// The union of what the programs of a model read and make.
#include "runtime/model_interface.h"

#include <algorithm>

namespace gradc {
namespace {

NamedRow& entry(std::vector<NamedRow>& rows, const std::string& name, const Type& type) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
  if (found != rows.end()) return *found;
  rows.push_back({name, type});
  return rows.back();
}

}  // namespace

Type row_type(const Type& type) {
  const auto& dims = type.shape.dims();
  const auto first = dims.empty() ? dims.begin() : dims.begin() + 1;
  return {type.dtype, Shape(std::vector<int64_t>(first, dims.end()))};
}

ModelInterface interface_of(std::span<const Program> programs) {
  ModelInterface result;
  for (const GraphMode mode : {GraphMode::Train, GraphMode::Evaluate, GraphMode::Predict})
    for (const Program& program : programs) {
      if (program.mode != mode) continue;
      for (const ProgramInput& input : program.inputs) {
        if (input.kind != InputKind::Data) continue;
        NamedRow& row = entry(result.inputs, input.name, input.type);
        row.limit = std::max(row.limit, input.limit);
        (mode == GraphMode::Predict ? row.is_for_prediction : row.is_for_training) = true;
      }
      for (const ProgramOutput& output : program.outputs)
        if (output.kind == OutputKind::Output) entry(result.outputs, output.name, output.type);
    }
  return result;
}

}  // namespace gradc
