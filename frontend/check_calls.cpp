// Checks on reading: names, numbers and literal kinds of the arguments of direct calls.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/name_checker.h"
#include "runtime/core/did_you_mean.h"
#include "runtime/core/dtype.h"

namespace gradc {
namespace {

using Kind = Resolution::Kind;

/// "a string", as values are called in messages.
std::string_view kind_text(LiteralKind kind) {
  switch (kind) {
    case LiteralKind::Unknown:
      return "something else";
    case LiteralKind::Int:
      return "an int";
    case LiteralKind::Float:
      return "a float";
    case LiteralKind::Bool:
      return "a bool";
    case LiteralKind::String:
      return "a string";
    case LiteralKind::None:
      return "none";
    case LiteralKind::List:
      return "a list";
    case LiteralKind::Function:
      return "a function";
    case LiteralKind::Layer:
      return "a layer";
    case LiteralKind::DType:
      return "a dtype";
  }
  return {};
}

bool is_whole(const ast::Expr& expr) {
  const ast::Expr* value = &expr;
  if (const auto* unary = expr.as<ast::Unary>()) value = unary->operand.get();
  const auto* number = value->as<ast::Number>();
  return number && std::trunc(number->float_value) == number->float_value;
}

/// What a parameter of this type wants in words; empty if a value of the kind fits or may fit.
std::string unmet_want(const ast::Type& type, LiteralKind kind, const ast::Expr& value) {
  const bool is_number = kind == LiteralKind::Int || kind == LiteralKind::Float;
  const std::string& name = type.name.text;
  if (type.is_tensor) {
    const bool fits = is_number || kind == LiteralKind::Bool;
    return fits ? "" : std::string(type.span.text());
  }
  const bool is_function = kind == LiteralKind::Function || kind == LiteralKind::Layer;
  if (name == "int")
    return kind == LiteralKind::Int || (kind == LiteralKind::Float && is_whole(value)) ? ""
                                                                                       : "an int";
  if (name == "float") return is_number ? "" : "a number";
  if (name == "bool") return kind == LiteralKind::Bool ? "" : "true or false";
  if (name == "string") return kind == LiteralKind::String ? "" : "a string";
  if (name == "list") return kind == LiteralKind::List ? "" : "a list";
  if (name == "dtype") return kind == LiteralKind::DType ? "" : "a dtype";
  if (name == "fn") return is_function ? "" : "a function";
  if (name == "layer") return is_function ? "" : "a layer";
  return {};
}

}  // namespace

void NameChecker::check_call(const ast::Call& call, const ast::Expr& expr) {
  const auto* name = call.callee->as<ast::NameRef>();
  Resolution callee;
  if (name) {
    callee = resolve(name->text, call.callee->span);
    check_callee(callee, *name, call.callee->span);
  } else {
    check(call.callee);
    const LiteralKind kind = literal_kind(*call.callee);
    if (kind != LiteralKind::Unknown && kind != LiteralKind::Function && kind != LiteralKind::Layer)
      diagnostics_.report(
          error("E0305", call.callee->span, fmt::format("{} cannot be called", kind_text(kind))));
  }
  for (const ast::Argument& argument : call.arguments) check(argument.value);
  if (!name) return;
  if (const auto signature = signature_of(callee, name->text))
    check_arguments(*signature, call.arguments, expr.span);
}

void NameChecker::check_callee(const Resolution& callee, const ast::NameRef& name, Span span) {
  if (callee.kind == Kind::Nothing) return report_unknown(name.text, span);
  if (callee.kind == Kind::Local && callee.local->is_layer) check_layer_call(name.text, span);
  if (callee.kind == Kind::Builtin && !callee.builtin->is_function)
    diagnostics_.report(
        error("E0305", span, fmt::format("`{}` is a number and cannot be called", name.text)));
  if (callee.kind != Kind::Item) return;
  if (callee.item->as<ast::Model>())
    diagnostics_.report(
        error("E0305", span,
              fmt::format("`{}` is a model: models are trained, not called", name.text))
            .with_help("write what is used twice as a layer"));
  const auto* function = callee.item->as<ast::Function>();
  if (function && function->callable.kind == ast::CallableKind::Layer)
    check_layer_call(name.text, span);
}

void NameChecker::check_layer_call(const std::string& name, Span span) {
  if (!contexts_.empty() && contexts_.back().kind != ast::CallableKind::Fn &&
      contexts_.back().kind != ast::CallableKind::Optimizer)
    return;
  if (contexts_.empty() && is_in_train_) return;
  const std::string_view caller = contexts_.empty()                                ? "a constant"
                                  : contexts_.back().kind == ast::CallableKind::Fn ? "a `fn`"
                                                                                   : "an optimizer";
  diagnostics_.report(
      error("E0603", span, fmt::format("{} calls no layer: `{}` is one", caller, name))
          .with_help(contexts_.empty() ? "" : "make the definition around it a `layer`"));
}

std::optional<CalledSignature> NameChecker::signature_of(const Resolution& callee,
                                                         const std::string& name) {
  CalledSignature signature;
  signature.name = name;
  if (callee.kind == Kind::Builtin) {
    if (!callee.builtin->is_function) return std::nullopt;
    for (const BuiltinParameter& parameter : callee.builtin->parameters)
      signature.parameters.push_back({std::string(parameter.name), parameter.has_default, nullptr});
    return signature;
  }
  if (callee.kind != Kind::Item) return std::nullopt;
  const ast::Callable* callable = nullptr;
  if (const auto* function = callee.item->as<ast::Function>()) callable = &function->callable;
  if (const auto* optimizer = callee.item->as<ast::Optimizer>()) callable = &optimizer->callable;
  if (!callable) return std::nullopt;
  for (const ast::Parameter& parameter : callable->parameters)
    signature.parameters.push_back(
        {parameter.name.text, parameter.default_value != nullptr, &parameter});
  return signature;
}

const CalledParameter* NameChecker::find_parameter(const CalledSignature& signature,
                                                   const ast::Name& name) {
  const auto found = std::ranges::find(signature.parameters, name.text, &CalledParameter::name);
  if (found != signature.parameters.end()) return &*found;
  std::vector<std::string> settings;
  std::string listed;
  for (const CalledParameter& parameter : signature.parameters) {
    const bool is_input =
        parameter.declared && parameter.declared->type && parameter.declared->type->is_tensor;
    settings.push_back(parameter.name);
    if (is_input) continue;
    listed += (listed.empty() ? "" : ", ") + parameter.name;
  }
  Diagnostic finding = error("E0302", name.span,
                             fmt::format("`{}` has no parameter `{}`", signature.name, name.text));
  if (!listed.empty()) finding.note("it has: " + listed);
  if (const auto guess = did_you_mean(name.text, settings))
    finding.help = fmt::format("did you mean `{}`?", *guess);
  diagnostics_.report(std::move(finding));
  return nullptr;
}

void NameChecker::check_arguments(const CalledSignature& signature,
                                  const std::vector<ast::Argument>& arguments, Span call) {
  std::vector<bool> is_given(signature.parameters.size(), false);
  bool is_sound = true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ast::Argument& argument = arguments[i];
    if (!argument.name && i >= signature.parameters.size()) {
      diagnostics_.report(
          error("E0303", argument.value->span,
                fmt::format("`{}` takes {} argument{}, got {}", signature.name,
                            signature.parameters.size(),
                            signature.parameters.size() == 1 ? "" : "s", arguments.size())));
      return;
    }
    const CalledParameter* parameter =
        argument.name ? find_parameter(signature, *argument.name) : &signature.parameters[i];
    is_sound = is_sound && parameter;
    if (!parameter) continue;
    const auto index = static_cast<size_t>(parameter - signature.parameters.data());
    if (is_given[index])
      diagnostics_.report(
          error("E0303", argument.name->span,
                fmt::format("`{}` of `{}` is given twice", parameter->name, signature.name)));
    is_given[index] = true;
  }
  for (size_t i = 0; is_sound && i < is_given.size(); ++i)
    if (!is_given[i] && !signature.parameters[i].has_default)
      return report_missing(signature, signature.parameters[i], arguments, call);
  for (size_t i = 0; is_sound && i < arguments.size(); ++i) {
    const CalledParameter* parameter = arguments[i].name
                                           ? find_parameter(signature, *arguments[i].name)
                                           : &signature.parameters[i];
    check_argument_kind(signature, *parameter, *arguments[i].value);
  }
}

void NameChecker::report_missing(const CalledSignature& signature, const CalledParameter& missing,
                                 const std::vector<ast::Argument>& arguments, Span call) {
  Diagnostic finding =
      error("E0303", call,
            fmt::format("`{}` is missing its argument `{}`", signature.name, missing.name));
  const CalledParameter& first = signature.parameters.front();
  const bool takes_input =
      first.declared && first.declared->type && first.declared->type->is_tensor;
  const bool got_number = !arguments.empty() && !arguments.front().name &&
                          literal_kind(*arguments.front().value) == LiteralKind::Int;
  if (takes_input && got_number) {
    const Span last = arguments.back().value->span;
    const Span given = join(arguments.front().value->span, last);
    finding.note(
        fmt::format("{} was taken for `{}`, the input: the first argument of a layer is "
                    "what it is applied to",
                    arguments.front().value->span.text(), first.name));
    finding.help = fmt::format("{}({}, {})", signature.name, first.name, given.text());
  }
  diagnostics_.report(std::move(finding));
}

void NameChecker::check_shared_arguments(const CalledSignature& signature,
                                         const std::vector<ast::Argument>& arguments) {
  for (const ast::Argument& argument : arguments) {
    if (!argument.name) {
      diagnostics_.report(
          error("E0610", argument.value->span, "the arguments of `shared` are given by keyword"));
      continue;
    }
    if (const CalledParameter* parameter = find_parameter(signature, *argument.name))
      check_argument_kind(signature, *parameter, *argument.value);
  }
}

void NameChecker::check_argument_kind(const CalledSignature& signature,
                                      const CalledParameter& parameter, const ast::Expr& value) {
  const LiteralKind kind = literal_kind(value);
  if (!parameter.declared || kind == LiteralKind::Unknown) return;
  const ast::Parameter& declared = *parameter.declared;
  const bool may_be_none = declared.default_value && declared.default_value->as<ast::None>();
  if (kind == LiteralKind::None && may_be_none) return;
  std::string wanted;
  if (declared.type) {
    wanted = unmet_want(*declared.type, kind, value);
  } else if (kind == LiteralKind::String && wants_function(declared)) {
    wanted = "a function";
  }
  if (!wanted.empty()) report_kind(signature, parameter, value, wanted);
}

/// Without a type, the default says it.
bool NameChecker::wants_function(const ast::Parameter& parameter) {
  if (!parameter.default_value) return false;
  if (parameter.default_value->as<ast::Lambda>()) return true;
  const auto* name = parameter.default_value->as<ast::NameRef>();
  return name && kind_of_name(*name) == LiteralKind::Function;
}

void NameChecker::report_kind(const CalledSignature& signature, const CalledParameter& parameter,
                              const ast::Expr& value, std::string_view wanted) {
  Diagnostic finding = error("E0304", value.span,
                             fmt::format("`{}` of `{}` must be {}, got {}", parameter.name,
                                         signature.name, wanted, kind_text(literal_kind(value))));
  const auto* text = value.as<ast::String>();
  if (text && (wanted == "a function" || wanted == "a layer"))
    finding.help =
        fmt::format("write the name without quotes: {} = {}", parameter.name, text->text);
  if (value.as<ast::List>() && wanted.ends_with("]"))
    finding.help = fmt::format("tensor({}) makes a tensor of a list", value.span.text());
  diagnostics_.report(std::move(finding));
}

LiteralKind NameChecker::literal_kind(const ast::Expr& expr) {
  if (const auto* number = expr.as<ast::Number>())
    return number->is_float ? LiteralKind::Float : LiteralKind::Int;
  if (const auto* unary = expr.as<ast::Unary>(); unary && unary->op == ast::UnaryOp::Negate) {
    const LiteralKind kind = literal_kind(*unary->operand);
    return kind == LiteralKind::Int || kind == LiteralKind::Float ? kind : LiteralKind::Unknown;
  }
  if (expr.as<ast::Bool>() || expr.as<ast::Training>() || expr.as<ast::Frozen>())
    return LiteralKind::Bool;
  if (expr.as<ast::String>()) return LiteralKind::String;
  if (expr.as<ast::None>()) return LiteralKind::None;
  if (expr.as<ast::List>() || expr.as<ast::Comprehension>()) return LiteralKind::List;
  if (const auto* lambda = expr.as<ast::Lambda>())
    return lambda->callable->kind == ast::CallableKind::Fn ? LiteralKind::Function
                                                           : LiteralKind::Layer;
  if (const auto* name = expr.as<ast::NameRef>()) return kind_of_name(*name);
  return LiteralKind::Unknown;
}

LiteralKind NameChecker::kind_of_name(const ast::NameRef& name) {
  if (locals_.find(name.text)) return LiteralKind::Unknown;
  if (parse_dtype(name.text) && !name.is_quoted) return LiteralKind::DType;
  const auto own = own_.find(name.text);
  const auto library = library_.find(name.text);
  const ast::Item* item = own != own_.end()           ? own->second.item
                          : library != library_.end() ? library->second
                                                      : nullptr;
  if (item) {
    const auto* function = item->as<ast::Function>();
    if (!function) return LiteralKind::Unknown;
    return function->callable.kind == ast::CallableKind::Fn ? LiteralKind::Function
                                                            : LiteralKind::Layer;
  }
  if (own != own_.end() || file_.unread_words.contains(name.text)) return LiteralKind::Unknown;
  const BuiltinSignature* builtin = find_builtin(name.text);
  if (!builtin) return LiteralKind::Unknown;
  return builtin->is_function ? LiteralKind::Function : LiteralKind::Float;
}

}  // namespace gradc
