// Looks built-in functions up and reads their arguments.
#include "frontend/builtin_table.h"

#include <numbers>
#include <unordered_map>

namespace gradc {

const Builtin* find_builtin_function(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const Builtin*> index;
    for (const auto& family :
         {elementwise_builtins(), movement_builtins(), reduction_builtins(), window_builtins(),
          ordered_builtins(), creation_builtins(), compile_time_builtins()})
      for (const Builtin& builtin : family) index[builtin.name] = &builtin;
    return index;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

Value builtin_value(const Builtin& builtin) {
  if (builtin.name == "pi") return std::numbers::pi;
  auto function = std::make_shared<FunctionValue>();
  function->kind = FunctionKind::Builtin;
  function->name = builtin.name;
  function->builtin = &builtin;
  return FunctionRef(std::move(function));
}

BuiltinCall::BuiltinCall(Elaborator& elaborator, const Builtin& builtin, Invocation& invocation)
    : elaborator_(elaborator),
      signature_(*find_builtin(builtin.name)),
      invocation_(invocation),
      values_(signature_.parameters.size(), nullptr),
      spans_(signature_.parameters.size()) {
  size_t position = 0;
  for (const Argument& argument : invocation.arguments) {
    size_t target = position;
    if (argument.name.empty()) {
      if (position++ >= values_.size())
        elaborator.fail("E0305", argument.span,
                        fmt::format("`{}` takes {} arguments", signature_.name, values_.size()));
    } else {
      target = 0;
      while (target < values_.size() && signature_.parameters[target].name != argument.name)
        ++target;
    }
    if (target == values_.size())
      elaborator.fail(
          error("E0302", argument.name_span,
                fmt::format("`{}` has no parameter `{}`", signature_.name, argument.name))
              .note(signature_text(signature_)));
    values_[target] = &argument.value;
    spans_[target] = argument.span;
  }
  for (size_t i = 0; i < values_.size(); ++i)
    if (!values_[i] && !signature_.parameters[i].has_default)
      elaborator.fail(error("E0303", invocation.span,
                            fmt::format("`{}` is missing its argument `{}`", signature_.name,
                                        signature_.parameters[i].name))
                          .note(signature_text(signature_)));
}

Span BuiltinCall::where(size_t position) const {
  return spans_[position].is_somewhere() ? spans_[position] : invocation_.span;
}

bool BuiltinCall::has(size_t position) const {
  return values_[position] && !values_[position]->is_none();
}

const Value& BuiltinCall::value(size_t position) const {
  CHECK(values_[position], "{} has no argument {}", signature_.name, position);
  return *values_[position];
}

void BuiltinCall::wrong_kind(size_t position, const std::string& wanted) {
  elaborator_.fail(
      "E0304", where(position),
      fmt::format("`{}` of `{}` must be {}, got {}", signature_.parameters[position].name,
                  signature_.name, wanted, elaborator_.describe(value(position))));
}

const Value& BuiltinCall::operand(size_t position) {
  const Value& given = value(position);
  if (!given.as<TensorId>() && !given.as<NumberValue>())
    wrong_kind(position, "a tensor or a number");
  return given;
}

TensorId BuiltinCall::tensor(size_t position) {
  const Value& given = value(position);
  if (const TensorId* id = given.as<TensorId>()) return *id;
  if (const NumberValue* number = given.as<NumberValue>())
    return ops().number(*number, number->is_float ? DType::F32 : DType::I32);
  wrong_kind(position, "a tensor");
}

int64_t BuiltinCall::integer(size_t position, int64_t otherwise) {
  if (!has(position)) return otherwise;
  const NumberValue* given = number(position);
  const auto whole = given ? given->whole() : std::nullopt;
  if (!whole) wrong_kind(position, "a whole number");
  return *whole;
}

double BuiltinCall::real(size_t position, double otherwise) {
  if (!has(position)) return otherwise;
  if (!number(position)) wrong_kind(position, "a number");
  return number(position)->real;
}

bool BuiltinCall::boolean(size_t position, bool otherwise) {
  if (!has(position)) return otherwise;
  if (!value(position).as<bool>()) wrong_kind(position, "true or false");
  return *value(position).as<bool>();
}

DType BuiltinCall::dtype(size_t position, DType otherwise) {
  if (!has(position)) return otherwise;
  if (!value(position).as<DType>()) wrong_kind(position, "a dtype such as f32");
  return *value(position).as<DType>();
}

std::vector<int64_t> BuiltinCall::integers(size_t position) {
  if (number(position)) return {integer(position, 0)};
  const std::vector<Value>* list = value(position).elements();
  if (!list) wrong_kind(position, "a list of whole numbers");
  std::vector<int64_t> numbers;
  for (const Value& element : *list) {
    const NumberValue* number = element.as<NumberValue>();
    const auto whole = number ? number->whole() : std::nullopt;
    if (!whole) wrong_kind(position, "a list of whole numbers");
    numbers.push_back(*whole);
  }
  return numbers;
}

Shape BuiltinCall::shape(size_t position) {
  const std::vector<Value>* list = value(position).elements();
  if (!list) wrong_kind(position, "a list of dimensions");
  std::vector<int64_t> dims;
  for (const Value& element : *list) {
    const NumberValue* number = element.as<NumberValue>();
    const auto whole = number ? number->whole() : std::nullopt;
    if (!whole || *whole < 0)
      elaborator_.fail("E0404", where(position),
                       fmt::format("dimension {} of the new shape is {}, not a whole number",
                                   dims.size(), elaborator_.describe(element)));
    dims.push_back(*whole);
  }
  Shape shape(std::move(dims));
  shape.element_count();
  return shape;
}

std::vector<TensorId> BuiltinCall::tensors(size_t position) {
  const std::vector<Value>* list = value(position).elements();
  if (!list) wrong_kind(position, "a list of tensors");
  std::vector<TensorId> ids;
  for (const Value& element : *list) {
    if (const TensorId* id = element.as<TensorId>())
      ids.push_back(*id);
    else if (const NumberValue* number = element.as<NumberValue>())
      ids.push_back(ops().number(*number, number->is_float ? DType::F32 : DType::I32));
    else
      wrong_kind(position, "a list of tensors");
  }
  return ids;
}

}  // namespace gradc
