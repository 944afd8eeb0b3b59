// Checks on reading: parameters, the dimensions that signatures bind, and types elsewhere.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/name_checker.h"
#include "runtime/core/did_you_mean.h"
#include "runtime/core/dtype.h"

namespace gradc {
namespace {

const std::vector<std::string> kKinds = {"int",   "float", "bool", "string",
                                         "dtype", "list",  "fn",   "layer"};

bool is_dtype_class(std::string_view name) {
  return name == "float" || name == "int" || name == "any";
}

bool is_parameter(const std::vector<ast::Parameter>& parameters, const std::string& name) {
  return std::ranges::any_of(
      parameters, [&](const ast::Parameter& parameter) { return parameter.name.text == name; });
}

/// The names of a dimension's expression, and whether each stands where one unknown can be solved.
struct DimensionName {
  std::string text;
  Span span;
  bool is_linear;
};

void collect_dimensions(const ast::Expr& expr, bool is_linear, std::vector<DimensionName>& names) {
  if (const auto* name = expr.as<ast::NameRef>()) {
    names.push_back({name->text, expr.span, is_linear});
  } else if (const auto* unary = expr.as<ast::Unary>()) {
    collect_dimensions(*unary->operand, is_linear && unary->op == ast::UnaryOp::Negate, names);
  } else if (const auto* binary = expr.as<ast::Binary>()) {
    using ast::BinaryOp;
    const bool keeps = binary->op == BinaryOp::Add || binary->op == BinaryOp::Subtract ||
                       binary->op == BinaryOp::Multiply;
    const bool keeps_left = keeps || binary->op == BinaryOp::Divide;
    collect_dimensions(*binary->left, is_linear && keeps_left, names);
    collect_dimensions(*binary->right, is_linear && keeps, names);
  }
}

}  // namespace

void NameChecker::bind_parameters(const ast::Callable& callable, bool may_hide) {
  const std::vector<ast::Parameter>& parameters = callable.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ast::Parameter& parameter = parameters[i];
    check(parameter.default_value);
    const auto same = std::find_if(
        parameters.begin(), parameters.begin() + i,
        [&](const ast::Parameter& other) { return other.name.text == parameter.name.text; });
    const bool is_layer =
        parameter.type && !parameter.type->is_tensor && parameter.type->name.text == "layer";
    if (same != parameters.begin() + i && !parameter.name.is_discard()) {
      diagnostics_.report(error("E0203", parameter.name.span,
                                fmt::format("two parameters are called `{}`", parameter.name.text))
                              .note("the first is here", same->name.span));
    } else if (may_hide) {
      bind_hiding(parameter.name, LocalKind::Parameter, is_layer);
    } else {
      bind(parameter.name, LocalKind::Parameter, is_layer);
    }
  }
  for (const ast::Parameter& parameter : parameters)
    if (parameter.type) check_signature_type(*parameter.type, parameters);
  for (const ast::Parameter& parameter : parameters) {
    if (!parameter.type) continue;
    for (const ast::ExprPtr& dimension : parameter.type->dims)
      if (!dimension->as<ast::NameRef>() && !dimension->as<ast::Ellipsis>())
        solve_dimension(*dimension, parameters);
  }
  for (const ast::Parameter& parameter : parameters)
    if (parameter.default_value && parameter.type)
      check_argument_kind(
          {ast::defined_name(*item_) && !may_hide ? ast::defined_name(*item_)->text : "the lambda",
           {}},
          {parameter.name.text, true, &parameter}, *parameter.default_value);
}

/// Bare names bind; the expressions are solved when all bare names are bound.
void NameChecker::check_signature_type(const ast::Type& type,
                                       const std::vector<ast::Parameter>& parameters) {
  check_type_name(type);
  const Span* rest = nullptr;
  for (const ast::ExprPtr& dimension : type.dims) {
    if (dimension->as<ast::NameRef>()) bind_dimension(*dimension, parameters);
    if (!dimension->as<ast::Ellipsis>()) continue;
    if (rest) diagnostics_.report(error("E0209", dimension->span, "`...` stands once in a type"));
    rest = &dimension->span;
  }
}

void NameChecker::bind_dimension(const ast::Expr& dimension,
                                 const std::vector<ast::Parameter>& parameters) {
  const auto* name = dimension.as<ast::NameRef>();
  if (name->text == "_" && !name->is_quoted) return;
  if (is_parameter(parameters, name->text)) {
    resolve(name->text, dimension.span);
    return;
  }
  const Local* local = locals_.find(name->text);
  const bool is_bound_here = local && local->kind == LocalKind::Dimension &&
                             local->callable_depth == static_cast<int>(contexts_.size());
  if (!is_bound_here)
    bind_hiding({name->text, dimension.span, name->is_quoted}, LocalKind::Dimension);
}

/// All names known, or one unknown that occurs once, linearly: it is bound.
void NameChecker::solve_dimension(const ast::Expr& dimension,
                                  const std::vector<ast::Parameter>& parameters) {
  std::vector<DimensionName> names;
  collect_dimensions(dimension, true, names);
  std::erase_if(names, [&](const DimensionName& name) {
    if (is_parameter(parameters, name.text) || locals_.find(name.text)) return true;
    const auto own = own_.find(name.text);
    const bool is_constant =
        own != own_.end() && (!own->second.item || own->second.item->as<ast::Constant>());
    return is_constant || file_.unread_words.contains(name.text);
  });
  if (names.empty()) return check(dimension);
  if (names.size() > 1 || !names[0].is_linear) {
    Diagnostic finding = error(
        "E0209", dimension.span,
        fmt::format("`{}` cannot be solved: {}", dimension.span.text(),
                    names.size() > 1 ? "more than one unknown size" : "not linear in its unknown"));
    for (const DimensionName& name : names)
      finding.note(fmt::format("`{}` is bound by no other dimension or parameter", name.text),
                   name.span);
    diagnostics_.report(std::move(finding));
  }
  for (const DimensionName& name : names)
    if (!locals_.find(name.text)) bind_hiding({name.text, name.span, false}, LocalKind::Dimension);
  check(dimension);
}

void NameChecker::check_type_name(const ast::Type& type) {
  const std::string& name = type.name.text;
  if (type.is_tensor) {
    if (is_dtype_class(name) || parse_dtype(name) || file_.unread_words.contains(name)) return;
    if (locals_.find(name)) {
      resolve(name, type.name.span);
      return;
    }
  } else {
    if (std::ranges::find(kKinds, name) != kKinds.end()) return;
    if (parse_dtype(name)) {
      diagnostics_.report(error("E0317", type.span, fmt::format("`{}` alone is no type", name))
                              .with_help(fmt::format("a scalar tensor is {}[], a number is int or "
                                                     "float",
                                                     name)));
      return;
    }
  }
  std::vector<std::string> known = kKinds;
  if (type.is_tensor) {
    known = {"float", "int", "any"};
    for (const DType dtype : kAllDTypes) known.emplace_back(gradc::name(dtype));
  }
  Diagnostic finding =
      error("E0317", type.name.span,
            fmt::format("unknown {} `{}`", type.is_tensor ? "dtype" : "kind", name));
  if (const auto guess = did_you_mean(name, known))
    finding.help = fmt::format("did you mean `{}`?", *guess);
  else if (!type.is_tensor)
    finding.help =
        "kinds are int, float, bool, string, dtype, list, fn and layer; a tensor is "
        "written with brackets: float[...]";
  diagnostics_.report(std::move(finding));
}

/// Outside signatures: every name in the dimensions must be known.
void NameChecker::check_type(const ast::Type& type) {
  check_type_name(type);
  for (const ast::ExprPtr& dimension : type.dims) {
    const auto* name = dimension->as<ast::NameRef>();
    if (name && name->text == "_" && !name->is_quoted) continue;
    check(*dimension);
  }
}

}  // namespace gradc
