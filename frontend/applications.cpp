// Records what happens in the frame of the model; calls inside of layers and functions are theirs.
#include "frontend/applications.h"

#include "frontend/elaborator.h"

namespace gradc {

void collect_tensors(const Value& value, std::vector<TensorId>& tensors) {
  if (const TensorId* tensor = value.as<TensorId>()) tensors.push_back(*tensor);
  if (const std::vector<Value>* elements = value.elements())
    for (const Value& element : *elements) collect_tensors(element, tensors);
}

bool Elaborator::is_in_model() const {
  return frame_ && frame_->kind == FunctionKind::Model && !is_initializing();
}

void Elaborator::record(Application application) {
  if (application.results.empty()) return;
  application.instances_before = ownership_.instances().size();
  body_.applications.push_back(std::move(application));
}

void Elaborator::record_call(const FunctionValue& function, const Invocation& invocation,
                             const Value& result, int64_t multiply_adds) {
  Application application;
  application.what = function.name;
  application.multiply_adds = multiply_adds;
  if (function.kind == FunctionKind::Shared) {
    application.instance = function.instance;
    application.what = function.instance->layer;
  } else if (function.kind == FunctionKind::Layer) {
    application.instance = ownership_.find_instance(instance_path(invocation));
  }
  const std::string& callee = invocation.callee.empty() ? function.name : invocation.callee;
  application.path = application.instance   ? application.instance->path
                     : invocation.is_direct ? named_place()
                                            : join_path(named_place(), callee);
  for (const Argument& argument : invocation.arguments)
    collect_tensors(argument.value, application.operands);
  collect_tensors(result, application.results);
  record(std::move(application));
}

void Elaborator::record_operator(std::string what, std::vector<TensorId> operands,
                                 const Value& result) {
  Application application;
  application.what = std::move(what);
  application.is_operator = true;
  application.operands = std::move(operands);
  collect_tensors(result, application.results);
  record(std::move(application));
}

std::string Elaborator::operand_text(const ast::Expr& expr, const Value& value) const {
  if (const NumberValue* number = value.as<NumberValue>()) return to_text(*number);
  const auto* name = expr.as<ast::NameRef>();
  return name ? name->text : "...";
}

std::string Elaborator::shape_text(const Value& value) const {
  std::string text;
  if (const std::vector<Value>* elements = value.elements()) {
    for (const Value& element : *elements) text += (text.empty() ? "" : ", ") + shape_text(element);
    return "[" + text + "]";
  }
  const TensorId* tensor = value.as<TensorId>();
  if (!tensor) return describe(value);
  const Shape& shape = type(*tensor).shape;
  int64_t row_axis = draft_.row_axis(*tensor);
  const bool leads_with_rows =
      shape.rank() > 0 && shape[0] == setup_.rows && draft_.is_per_row(*tensor);
  if (row_axis < 0 && leads_with_rows) row_axis = 0;
  for (int64_t axis = 0; axis < shape.rank(); ++axis)
    text += fmt::format("{}{}", axis == 0 ? "" : ", ",
                        axis == row_axis ? "None" : std::to_string(shape[axis]));
  return fmt::format("({}{})", text, shape.rank() == 1 ? "," : "");
}

void Elaborator::record_binding(const std::string& name, const Value& value) {
  const TensorId* tensor = value.as<TensorId>();
  if (!tensor || !is_in_model() || name == "_") return;
  std::string path;
  for (const std::string& segment : frame_->naming.loops) path = join_path(path, segment);
  path = join_path(path, name);
  for (BoundName& binding : body_.bindings)
    if (binding.name == path) {
      binding.value = *tensor;
      return;
    }
  body_.bindings.push_back({path, *tensor});
}

}  // namespace gradc
