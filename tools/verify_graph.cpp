// Runs the checks, and runs them again on smaller graphs.
#include "tools/verify_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/builder.h"
#include "ir/op.h"
#include "tools/verify_passes.h"

namespace gradc {
namespace {

constexpr GradcheckOptions kGradcheck{.directions = 3, .elements = 2};

/// The node that is at fault with a scalar of its results, and the gradient of that by the operand
/// in question.
GraphCase gradient_case(const VjpFault& fault, int64_t rows) {
  GraphCase made;
  GraphBuilder builder(fmt::format("derivative_of_{}", op_info(fault.kind).name), GraphMode::Run,
                       rows);
  std::vector<Type> types;
  std::vector<ValueId> operands;
  for (const Tensor& operand : fault.operands) {
    operands.push_back(
        builder.input(InputKind::Data, fmt::format("operand_{}", operands.size()), operand.type()));
    types.push_back(operand.type());
    made.inputs.push_back(operand);
  }
  std::vector<std::optional<ValueId>> weights;
  for (const Type& type : infer_types(fault.kind, {types, fault.attrs})) {
    weights.emplace_back();
    if (type.dtype != DType::F64) continue;
    weights.back() =
        builder.input(InputKind::Data, fmt::format("weights_{}", weights.size() - 1), type);
    made.inputs.push_back(random_direction(type.shape, 1, weights.size()));
  }
  const std::vector<ValueId> results = builder.add_node(fault.kind, operands, fault.attrs);
  std::optional<ValueId> y;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!weights[i]) continue;
    ValueId term = builder.mul(results[i], *weights[i]);
    std::vector<int64_t> axes;
    for (int64_t axis = 0; axis < builder.shape(term).rank(); ++axis) axes.push_back(axis);
    if (!axes.empty()) term = builder.reduce(OpKind::Sum, term, axes);
    y = y ? builder.add(*y, term) : term;
  }
  CHECK(y.has_value(), "a derivative of nothing");
  const ValueId gradient =
      builder.add(OpKind::Gradient, {*y, operands.at(fault.difference.operand)});
  builder.output(OutputKind::Output, "gradient", gradient);
  made.graph = std::move(builder).build();
  return made;
}

std::string what_differs(const GradientCheck& gradient) {
  if (!std::isfinite(gradient.y))
    return fmt::format("the loss is {} there",
                       std::isnan(gradient.y) ? "not a number" : "infinite");
  if (!std::isfinite(gradient.max_abs_error)) return "it or a finite difference is not finite";
  return fmt::format("differs from finite differences by {:.3g} ({:.3g} relative)",
                     gradient.max_abs_error, gradient.max_rel_error);
}

std::string place_of(const Origin& origin) {
  return origin.file.empty() ? ""
                             : fmt::format(" ({}:{}:{})", origin.file, origin.line, origin.column);
}

}  // namespace

std::string_view title_of(GraphCheck check) {
  switch (check) {
    case GraphCheck::Passes:
      return "passes";
    case GraphCheck::Code:
      return "compiled code";
    case GraphCheck::Gradients:
      return "gradients";
  }
  return "";
}

GraphReport GraphChecks::check_code(const Graph& graph, std::span<const Tensor> inputs) const {
  GraphReport report;
  if (auto found = verify_passes(graph, inputs, options, report.passes))
    report.findings.push_back({GraphCheck::Passes, *std::move(found)});
  for (Difference& found : verify_code(graph, inputs, options, compile_graph, report.tensors))
    report.findings.push_back({GraphCheck::Code, std::move(found)});
  return report;
}

GraphReport GraphChecks::check_gradients(const Graph& graph, std::span<const Tensor> inputs) const {
  GraphReport report;
  const GradcheckReport found = gradc::check_gradients(graph, inputs, kGradcheck);
  const GraphCase whole{graph, {inputs.begin(), inputs.end()}};
  for (const GradientCheck& gradient : found.gradients) {
    ++report.gradients;
    report.worst_gradient = std::max(report.worst_gradient, gradient.max_rel_error);
    if (gradient.agrees) continue;
    const Disagreement disagreement{fmt::format("gradient with respect to {}", gradient.name),
                                    what_differs(gradient)};
    report.findings.push_back({GraphCheck::Gradients, {disagreement, whole}});
  }
  if (!found.fault) return report;
  const Disagreement fault{
      fmt::format("derivative of `{}`", op_info(found.fault->kind).name),
      fmt::format("its rule disagrees with finite differences{}", place_of(found.fault->origin))};
  // First: it is what shows the least.
  report.findings.insert(report.findings.begin(),
                         {GraphCheck::Gradients, {fault, gradient_case(*found.fault, graph.rows)}});
  return report;
}

GraphCase GraphChecks::reproducer(const GraphFinding& finding) const {
  const Differs differs = [&](const GraphCase& given) {
    int64_t checked = 0;
    switch (finding.check) {
      case GraphCheck::Passes:
        return verify_passes(given.graph, given.inputs, options, checked).has_value();
      case GraphCheck::Code:
        return !verify_code(given.graph, given.inputs, options, compile_graph, checked).empty();
      case GraphCheck::Gradients:
        return !check_gradients(given.graph, given.inputs).findings.empty();
    }
    return false;
  };
  return shrink(finding.difference.shown_by, differs);
}

}  // namespace gradc
