// Large reductions to one or few elements in two stages.
#include "passes/split_reductions.h"

#include <numeric>

#include "ir/accumulator_dtype.h"
#include "ir/builder.h"

namespace gradc {
namespace {

constexpr int64_t kMinElements = 65536;
/// Elements that one result of the first stage is made of.
constexpr int64_t kMinInner = 16;
constexpr int64_t kMaxInner = 4096;
/// Fewer columns than this are one block that one thread sums.
constexpr int64_t kMaxColumns = 512;

bool is_large_fold(const Graph& graph, const Node& node) {
  const bool is_fold = node.kind == OpKind::Sum || node.kind == OpKind::Prod ||
                       node.kind == OpKind::Max || node.kind == OpKind::Min;
  return is_fold && graph.type(node.operands[0]).shape.element_count() > kMinElements;
}

bool is_splittable(const Graph& graph, const Node& node) {
  return is_large_fold(graph, node) && graph.type(node.results[0]).shape.rank() == 0;
}

/// Over several leading axes, to few columns: the sums of a bias after a convolution.
bool has_few_columns(const Graph& graph, const Node& node) {
  if (!is_large_fold(graph, node)) return false;
  const std::vector<int64_t>& axes = node.attrs.ints("axes");
  const Shape& shape = graph.type(node.operands[0]).shape;
  const int64_t columns = graph.type(node.results[0]).shape.element_count();
  const auto reduced = static_cast<int64_t>(axes.size());
  for (int64_t k = 0; k < reduced; ++k)
    if (axes[static_cast<size_t>(k)] != k) return false;
  return reduced >= 2 && reduced < shape.rank() && shape[0] >= kMinInner && columns < kMaxColumns &&
         shape.element_count() / shape[0] / columns >= kMinInner;
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

/// fold(fold(value, inner), outer), rounded to the value's dtype at the end alone.
ValueId fold_twice(GraphBuilder& builder, OpKind kind, ValueId value, std::vector<int64_t> inner,
                   std::vector<int64_t> outer) {
  const DType dtype = builder.dtype(value);
  const bool rounds = kind == OpKind::Sum || kind == OpKind::Prod;
  const ValueId wide = rounds ? builder.convert(value, accumulator_dtype(dtype)) : value;
  const ValueId partial = builder.reduce(kind, wide, std::move(inner));
  return builder.convert(builder.reduce(kind, partial, std::move(outer)), dtype);
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
  return fold_twice(builder, kind, value, axes_between(*axis, rank), axes_between(0, *axis));
}

/// fold(a, axes 0 to k) ==> fold(fold(a, axes 1 to k), axis 0).
ValueId split_columns(GraphBuilder& builder, OpKind kind, ValueId value, int64_t reduced) {
  return fold_twice(builder, kind, value, axes_between(1, reduced), {0});
}

}  // namespace

Graph split_reductions(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    std::optional<ValueId> value;
    if (is_splittable(graph, node)) {
      rewriter.builder().set_origin(node.origin);
      value = split(rewriter.builder(), node.kind, rewriter.map(node.operands[0]));
    } else if (has_few_columns(graph, node)) {
      rewriter.builder().set_origin(node.origin);
      value = split_columns(rewriter.builder(), node.kind, rewriter.map(node.operands[0]),
                            static_cast<int64_t>(node.attrs.ints("axes").size()));
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
