// Kinds and texts of compile-time values.
#include "frontend/value.h"

#include <algorithm>
#include <cmath>

namespace gradc {

std::optional<int64_t> NumberValue::whole() const {
  if (!is_float) return integer;
  if (std::abs(real) > 9e15 || real != std::floor(real)) return std::nullopt;
  return static_cast<int64_t>(real);
}

Value Value::list(std::vector<Value> elements) {
  uint32_t depth = 0;
  for (const Value& element : elements) depth = std::max(depth, element.depth());
  return Value(ListRef(std::make_shared<const List>(List{std::move(elements), depth + 1})));
}

const std::vector<Value>* Value::elements() const {
  const ListRef* list = as<ListRef>();
  return list ? &(*list)->elements : nullptr;
}

uint32_t Value::depth() const {
  if (const ListRef* list = as<ListRef>()) return (*list)->depth;
  return function() ? function()->depth : 0;
}

void FunctionValue::count_depth() {
  depth = 0;
  if (capture)
    for (const CapturedName& captured : capture->names)
      depth = std::max(depth, captured.value.depth() + 1);
  for (const BoundArgument& argument : arguments)
    depth = std::max(depth, argument.value.depth() + 1);
}

const FunctionValue* Value::function() const {
  const FunctionRef* ref = as<FunctionRef>();
  return ref ? ref->get() : nullptr;
}

namespace {

bool is_layer(const FunctionValue& function) {
  return function.kind == FunctionKind::Layer || function.kind == FunctionKind::Shared;
}

struct KindWord {
  std::string operator()(const Bad&) const { return "bad"; }
  std::string operator()(const NoneValue&) const { return "none"; }
  std::string operator()(bool) const { return "bool"; }
  std::string operator()(const NumberValue& n) const { return n.is_float ? "float" : "int"; }
  std::string operator()(const std::string&) const { return "string"; }
  std::string operator()(DType) const { return "dtype"; }
  std::string operator()(const ListRef&) const { return "list"; }
  std::string operator()(const FunctionRef& f) const {
    if (is_layer(*f)) return "layer";
    return f->kind == FunctionKind::Optimizer ? "optimizer" : "fn";
  }
  std::string operator()(TensorId) const { return "tensor"; }
  std::string operator()(const DataName&) const { return "data"; }
};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else {
      result += c;
    }
  }
  return result + '"';
}

constexpr size_t kLongText = 400;

struct ToText {
  std::string operator()(const Bad&) const { return "?"; }
  std::string operator()(const NoneValue&) const { return "none"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const NumberValue& number) const { return to_text(number); }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(DType dtype) const { return std::string(name(dtype)); }
  std::string operator()(const ListRef& list) const {
    std::string text = "[";
    for (const Value& element : list->elements) {
      // Lists may hold one list many times over, so that the whole text would never end.
      if (text.size() > kLongText) return text + ", …]";
      text += (text.size() > 1 ? ", " : "") + to_text(element);
    }
    return text + "]";
  }
  std::string operator()(const FunctionRef& function) const {
    std::string text = function->name;
    if (function->kind != FunctionKind::Optimizer || function->arguments.empty()) return text;
    std::string settings;
    for (const BoundArgument& argument : function->arguments)
      settings += (settings.empty() ? "" : ", ") + argument.name + " = " + to_text(argument.value);
    return text + "(" + settings + ")";
  }
  std::string operator()(TensorId) const { return "a tensor"; }
  std::string operator()(const DataName& data) const { return data.text; }
};

}  // namespace

std::string kind_word(const Value& value) { return std::visit(KindWord{}, value.node()); }

std::string kind_text(const Value& value) {
  const std::string word = kind_word(value);
  if (word == "none") return "none";
  if (word == "fn") return "a function";
  if (word == "data") return "a data source";
  if (word == "int" || word == "float") return "the number " + to_text(value);
  const bool has_vowel = word == "int" || word == "optimizer";
  return (has_vowel ? "an " : "a ") + word;
}

std::string to_text(const NumberValue& number) {
  if (!number.is_float) return fmt::format("{}", number.integer);
  std::string text = fmt::format("{}", number.real);
  return text;
}

std::string to_text(const Value& value) { return std::visit(ToText{}, value.node()); }

}  // namespace gradc
