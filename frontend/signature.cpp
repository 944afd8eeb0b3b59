// Kinds of parameters; types of parameters, states, results and annotations.
#include "frontend/elaborator.h"

namespace gradc {

std::string Elaborator::describe(const Value& value) const {
  if (const TensorId* tensor = value.as<TensorId>()) return to_string(type(*tensor));
  if (const std::vector<Value>* list = value.elements()) {
    bool has_tensor = false;
    for (const Value& element : *list) has_tensor |= element.as<TensorId>() != nullptr;
    if (!has_tensor) return "the list " + to_text(value).substr(0, 60);
    std::string text;
    for (const Value& element : *list) {
      if (text.size() > 200) return text + ", …]";
      text += (text.empty() ? "[" : ", ") + describe(element);
    }
    return text + "]";
  }
  return kind_text(value);
}

namespace {

struct KindRule {
  std::string_view word;
  std::string_view wanted;
};
constexpr KindRule kKinds[] = {
    {"int", "a whole number"}, {"float", "a number"}, {"bool", "true or false"},
    {"string", "a string"},    {"dtype", "a dtype"},  {"list", "a list"},
    {"fn", "a function"},      {"layer", "a layer"},
};

}  // namespace

Value Elaborator::check_kind(const ast::Type& kind, Value value, const std::string& what,
                             Span span) {
  const std::string& word = kind.name.text;
  const NumberValue* number = value.as<NumberValue>();
  const FunctionValue* function = value.function();
  bool fits = false;
  if (word == "int" && number) {
    if (const auto whole = number->whole()) return NumberValue::of(*whole).marked(number->of_rows);
  } else if (word == "float" && number) {
    return number->is_float ? value : Value(NumberValue::of(number->real).marked(number->of_rows));
  } else if (word == "bool") {
    fits = value.as<bool>();
  } else if (word == "string") {
    fits = value.as<std::string>();
  } else if (word == "dtype") {
    fits = value.as<DType>();
  } else if (word == "list") {
    fits = value.elements();
  } else if (word == "fn") {
    fits =
        function && (function->kind == FunctionKind::Fn || function->kind == FunctionKind::Builtin);
  } else if (word == "layer") {
    fits = function &&
           (function->kind == FunctionKind::Layer || function->kind == FunctionKind::Shared);
  }
  if (fits) return value;
  for (const KindRule& rule : kKinds)
    if (rule.word == word)
      fail("E0304", span, fmt::format("{} must be {}, got {}", what, rule.wanted, describe(value)));
  fail("E0317", kind.span,
       fmt::format("`{}` is no kind; kinds are int, float, bool, string, dtype, list, fn, layer",
                   word));
}

int64_t Elaborator::dimension(const Value& value, Span span, const std::string& what) {
  const NumberValue* number = value.as<NumberValue>();
  if (!number)
    fail("E0404", span, fmt::format("{} is {}, not a whole number", what, describe(value)));
  const auto whole = number->whole();
  if (!whole || *whole < 0)
    fail("E0404", span,
         fmt::format("{} is {}, not a whole number of at least 0", what, to_text(*number)));
  return *whole;
}

DType Elaborator::resolve_dtype(const ast::Type& type, const std::string& word) {
  if (const auto dtype = parse_dtype(word)) return *dtype;
  if (word == "float") {
    if (frame_->float_dtype) return *frame_->float_dtype;
    fail(error("E0505", type.span, "no argument says which dtype `float` is here")
             .with_help("write f32"));
  }
  if (const Variable* variable = frame_->find(word))
    if (const DType* dtype = variable->value.as<DType>()) return *dtype;
  fail("E0317", type.span, fmt::format("`{}` is no dtype; tensors are f32, f64, i32, …", word));
}

Type Elaborator::resolve_type(const ast::Type& type, bool is_stored) {
  Type resolved{resolve_dtype(type, type.name.text), {}};
  std::vector<int64_t> dims;
  for (const auto& dim : type.dims) {
    if (dim->as<ast::Ellipsis>()) {
      if (!frame_->rest) fail("E0413", dim->span, "`...` stands for nothing here");
      if (is_stored)
        fail("E0605", dim->span, "a stored value cannot have the dimensions `...` of the data");
      dims.insert(dims.end(), frame_->rest->begin(), frame_->rest->end());
      continue;
    }
    const Value value = evaluate(*dim);
    const int64_t size = dimension(
        value, dim->span, fmt::format("dimension {} of {}", dims.size(), type.span.text()));
    if (is_stored && value.as<NumberValue>()->of_rows)
      fail(error("E0605", type.span, "the shape of a stored value depends on the number of rows")
               .note(fmt::format("`{}` is {} here", dim->span.text(), size), dim->span)
               .with_help("it is shared by all rows: leave that dimension out, it is repeated"));
    dims.push_back(size);
  }
  resolved.shape = Shape(std::move(dims));
  resolved.shape.element_count();
  return resolved;
}

Value Elaborator::check_value(const ast::Type& type, Value value, const std::string& what,
                              Span span) {
  if (!type.is_tensor) return check_kind(type, std::move(value), what, span);
  if (const NumberValue* number = value.as<NumberValue>())
    value = ops_.number(*number, type.name.text == "float"
                                     ? frame_->float_dtype.value_or(DType::F32)
                                     : parse_dtype(type.name.text).value_or(DType::F32));
  const TensorId* tensor = value.as<TensorId>();
  const auto mismatch = [&](const std::string& code, const std::string& detail) {
    Diagnostic refusal = error(
        code, span, fmt::format("{} must be {}, got {}", what, type.span.text(), describe(value)));
    if (!detail.empty()) refusal.note(detail);
    fail(std::move(refusal));
  };
  if (!tensor) mismatch("E0304", "");
  const Type actual = this->type(*tensor);
  const std::string& word = type.name.text;
  const bool has_dtype =
      word == "any" || (word == "int" && is_int(actual.dtype)) ||
      (word != "int" && word != "any" && resolve_dtype(type, word) == actual.dtype);
  if (!has_dtype) mismatch("E0502", "");
  std::vector<std::optional<int64_t>> dims;
  for (const auto& dim : type.dims) {
    const auto* name = dim->as<ast::NameRef>();
    if (dim->as<ast::Ellipsis>()) {
      if (!frame_->rest) fail("E0413", dim->span, "`...` stands for nothing here");
      for (const int64_t size : *frame_->rest) dims.emplace_back(size);
    } else if (name && name->text == "_") {
      dims.emplace_back();
    } else {
      dims.emplace_back(
          dimension(evaluate(*dim), dim->span, fmt::format("`{}`", dim->span.text())));
    }
  }
  if (static_cast<int64_t>(dims.size()) != actual.shape.rank())
    mismatch("E0410",
             fmt::format("rank {} is needed, this has rank {}", dims.size(), actual.shape.rank()));
  for (size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] && *dims[axis] != actual.shape[static_cast<int64_t>(axis)])
      mismatch("E0410", fmt::format("axis {} must be {}, not {}", axis, *dims[axis],
                                    actual.shape[static_cast<int64_t>(axis)]));
  return value;
}

Value Elaborator::check_result(const ast::Result& result, Value value,
                               const FunctionValue& function, Span span) {
  const std::string what = fmt::format("the result of `{}`", function.name);
  if (!result.is_list) return check_value(result.types.at(0), std::move(value), what, span);
  const std::vector<Value>* list = value.elements();
  if (!list || list->size() != result.types.size())
    fail("E0315", span,
         fmt::format("{} must be a list of {} values, got {}", what, result.types.size(),
                     describe(value)));
  std::vector<Value> checked;
  for (size_t i = 0; i < list->size(); ++i)
    checked.push_back(
        check_value(result.types[i], (*list)[i], fmt::format("value {} of {}", i, what), span));
  return Value::list(std::move(checked));
}

}  // namespace gradc
