// Decomposition: copies the graph, spelling out the ops that stand for others.
#include "passes/decompose.h"

#include "ir/accumulator_dtype.h"
#include "ir/builder.h"

namespace gradc {
namespace {

/// The number that all elements of a constant or of a broadcast constant are.
std::optional<double> uniform_number(const Graph& graph, ValueId value) {
  const Node* node = graph.defining_node(value);
  while (node != nullptr && node->kind == OpKind::Broadcast) {
    node = graph.defining_node(node->operands[0]);
  }
  if (node == nullptr || node->kind != OpKind::Constant) return {};
  const Tensor& tensor = node->attrs.get<Tensor>("value");
  return tensor.size() == 1 ? std::optional(tensor.at(0)) : std::nullopt;
}

/// mean(a, axes) ==> sum(a, axes) / n, of narrow floats in the accumulator's dtype.
ValueId decompose_mean(GraphBuilder& builder, ValueId a, const Attrs& attrs) {
  int64_t count = 1;
  for (int64_t axis : attrs.ints("axes")) count *= builder.shape(a)[axis];
  const DType dtype = builder.dtype(a);
  const ValueId wide = builder.convert(a, accumulator_dtype(dtype));
  const ValueId sum = builder.add(OpKind::Sum, {wide}, attrs);
  const ValueId mean = builder.div(sum, builder.fill_like(sum, static_cast<double>(count)));
  return builder.convert(mean, dtype);
}

/// pow(a, 0) ==> 1; pow(a, 1) ==> a; pow(a, 2) ==> a * a; pow(a, 3) ==> a * a * a;
/// pow(a, -1) ==> 1 / a.
std::optional<ValueId> decompose_pow(GraphBuilder& builder, ValueId a, ValueId exponent) {
  if (!is_float(builder.dtype(a))) return {};
  const std::optional<double> number = uniform_number(builder.graph(), exponent);
  if (!number) return {};
  if (*number == 0) return builder.fill_like(a, 1);
  if (*number == 1) return a;
  if (*number == 2) return builder.mul(a, a);
  if (*number == 3) return builder.mul(builder.mul(a, a), a);
  if (*number == -1) return builder.div(builder.fill_like(a, 1), a);
  return {};
}

std::optional<ValueId> decompose(GraphBuilder& builder, const Node& node,
                                 std::span<const ValueId> operands) {
  if (node.kind == OpKind::Mean) return decompose_mean(builder, operands[0], node.attrs);
  if (node.kind == OpKind::Pow) return decompose_pow(builder, operands[0], operands[1]);
  if (node.kind == OpKind::StopGradient || node.kind == OpKind::Accumulate) return operands[0];
  return {};
}

}  // namespace

Graph decompose(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    rewriter.builder().set_origin(node.origin);
    const std::vector<ValueId> operands = rewriter.map(node.operands);
    if (const std::optional<ValueId> value = decompose(rewriter.builder(), node, operands)) {
      rewriter.replace(node.results[0], *value);
    } else {
      rewriter.copy(node);
    }
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
