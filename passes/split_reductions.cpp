// Large reductions to a scalar in two stages.
#include "passes/split_reductions.h"

#include <numeric>

#include "ir/builder.h"

namespace gradc {
namespace {

constexpr int64_t kMinElements = 65536;
/// Elements that one result of the first stage is made of.
constexpr int64_t kMinInner = 16;
constexpr int64_t kMaxInner = 4096;

bool is_splittable(const Graph& graph, const Node& node) {
  const bool is_fold = node.kind == OpKind::Sum || node.kind == OpKind::Prod ||
                       node.kind == OpKind::Max || node.kind == OpKind::Min;
  if (!is_fold || graph.type(node.results[0]).shape.rank() != 0) return false;
  return graph.type(node.operands[0]).shape.element_count() > kMinElements;
}

int64_t largest_divisor(int64_t n, int64_t limit) {
  int64_t divisor = limit;
  while (n % divisor != 0) --divisor;
  return divisor;
}

std::vector<int64_t> axes_between(int64_t first, int64_t end) {
  std::vector<int64_t> axes(static_cast<size_t>(end - first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

/// The first axis of the first stage, or nothing if no cut leaves at least kMinInner elements on
/// both sides: as far right as the inner axes hold enough.
std::optional<int64_t> first_inner_axis(const Shape& shape) {
  int64_t inner = 1;
  for (int64_t axis = shape.rank() - 1; axis > 0; --axis) {
    inner *= shape[axis];
    if (inner >= kMinInner) {
      const bool is_cut = shape.element_count() / inner >= kMinInner;
      return is_cut ? std::optional(axis) : std::nullopt;
    }
  }
  return {};
}

std::optional<ValueId> split(GraphBuilder& builder, OpKind kind, ValueId value) {
  std::optional<int64_t> axis = first_inner_axis(builder.shape(value));
  if (!axis) {
    const int64_t count = builder.shape(value).element_count();
    const int64_t inner = largest_divisor(count, kMaxInner);
    if (inner < kMinInner) return {};
    value = builder.reshape(value, Shape{count / inner, inner});
    axis = 1;
  }
  const int64_t rank = builder.shape(value).rank();
  const ValueId partial = builder.reduce(kind, value, axes_between(*axis, rank));
  return builder.reduce(kind, partial, axes_between(0, *axis));
}

}  // namespace

Graph split_reductions(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    std::optional<ValueId> value;
    if (is_splittable(graph, node)) {
      rewriter.builder().set_origin(node.origin);
      value = split(rewriter.builder(), node.kind, rewriter.map(node.operands[0]));
    }
    if (value) {
      rewriter.replace(node.results[0], *value);
    } else {
      rewriter.copy(node);
    }
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
