// Rewrite rules of movement ops.
#include <algorithm>
#include <numeric>

#include "ir/op.h"
#include "passes/canonicalize_rules.h"

namespace gradc {
namespace {

using Result = std::optional<ValueId>;
using Axes = std::vector<int64_t>;

size_t at(int64_t position) { return static_cast<size_t>(position); }

Axes identity(int64_t rank) {
  Axes axes(at(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// The order in which `axes` are sorted: axes[order[0]] <= axes[order[1]] <= ...
Axes sorting_order(const Axes& axes) {
  Axes order = identity(static_cast<int64_t>(axes.size()));
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return axes[at(a)] < axes[at(b)]; });
  return order;
}

Shape without_unit_axes(const Shape& shape) {
  Axes dims;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(dims),
               [](int64_t dim) { return dim != 1; });
  return Shape(std::move(dims));
}

Result same_shape(Simplifier& simplifier, const Candidate& node) {
  const ValueId value = node.operands[0];
  return simplifier.shape(value) == node.type.shape ? Result(value) : std::nullopt;
}

Result reshape_of_reshape(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Reshape);
  if (inner == nullptr) return {};
  return simplifier.reshape(inner->operands[0], node.type.shape);
}

/// Positions in `to` of the axes of `from` that are not of size 1, -1 for those of size 1; nothing
/// if the other axes differ.
std::optional<Axes> align_axes(const Shape& from, const Shape& to) {
  if (without_unit_axes(from) != without_unit_axes(to)) return {};
  Axes positions(at(from.rank()), -1);
  int64_t next = 0;
  for (int64_t axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] == 1) continue;
    while (to[next] == 1) ++next;
    positions[at(axis)] = next++;
  }
  return positions;
}

Result reshape_of_broadcast(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Broadcast);
  if (inner == nullptr) return {};
  const ValueId source = inner->operands[0];
  const Shape source_shape = simplifier.shape(source);
  if (source_shape.rank() == 0) return simplifier.broadcast(source, node.type.shape, {});
  const Axes axes = inner->attrs.ints("axes");
  const std::optional<Axes> positions =
      align_axes(simplifier.shape(node.operands[0]), node.type.shape);
  if (!positions) return {};
  Axes kept_dims;
  Axes kept_axes;
  for (int64_t k = 0; k < source_shape.rank(); ++k) {
    const int64_t position = (*positions)[at(axes[at(k)])];
    if (position < 0) continue;
    kept_dims.push_back(source_shape[k]);
    kept_axes.push_back(position);
  }
  const ValueId squeezed = simplifier.reshape(source, Shape(std::move(kept_dims)));
  return simplifier.broadcast(squeezed, node.type.shape, std::move(kept_axes));
}

Result transpose_identity(Simplifier&, const Candidate& node) {
  const Axes& permutation = node.attrs.ints("permutation");
  return std::is_sorted(permutation.begin(), permutation.end()) ? Result(node.operands[0])
                                                                : std::nullopt;
}

Result transpose_of_transpose(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Transpose);
  if (inner == nullptr) return {};
  Axes composed;
  for (int64_t axis : node.attrs.ints("permutation")) {
    composed.push_back(inner->attrs.ints("permutation")[at(axis)]);
  }
  return simplifier.transpose(inner->operands[0], std::move(composed));
}

Result transpose_of_unit_axes(Simplifier& simplifier, const Candidate& node) {
  const Shape& shape = simplifier.shape(node.operands[0]);
  Axes moved;
  for (int64_t axis : node.attrs.ints("permutation")) {
    if (shape[axis] != 1) moved.push_back(axis);
  }
  if (!std::is_sorted(moved.begin(), moved.end())) return {};
  return simplifier.reshape(node.operands[0], node.type.shape);
}

Result transpose_of_broadcast(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Broadcast);
  if (inner == nullptr) return {};
  const Axes& permutation = node.attrs.ints("permutation");
  Axes axes;
  for (int64_t axis : inner->attrs.ints("axes")) {
    axes.push_back(std::find(permutation.begin(), permutation.end(), axis) - permutation.begin());
  }
  return simplifier.broadcast(inner->operands[0], node.type.shape, std::move(axes));
}

Result broadcast_without_repeat(Simplifier& simplifier, const Candidate& node) {
  const Axes& axes = node.attrs.ints("axes");
  const ValueId value = node.operands[0];
  if (!std::is_sorted(axes.begin(), axes.end())) return {};
  if (without_unit_axes(simplifier.shape(value)) != without_unit_axes(node.type.shape)) return {};
  return simplifier.reshape(value, node.type.shape);
}

Result broadcast_of_broadcast(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Broadcast);
  if (inner == nullptr) return {};
  Axes axes;
  for (int64_t axis : inner->attrs.ints("axes")) axes.push_back(node.attrs.ints("axes")[at(axis)]);
  return simplifier.broadcast(inner->operands[0], node.type.shape, std::move(axes));
}

Result broadcast_of_unit_axes(Simplifier& simplifier, const Candidate& node) {
  const Shape shape = simplifier.shape(node.operands[0]);
  Axes axes;
  for (int64_t k = 0; k < shape.rank(); ++k) {
    if (shape[k] != 1) axes.push_back(node.attrs.ints("axes")[at(k)]);
  }
  if (axes.size() == at(shape.rank())) return {};
  const ValueId squeezed = simplifier.reshape(node.operands[0], without_unit_axes(shape));
  return simplifier.broadcast(squeezed, node.type.shape, std::move(axes));
}

Result broadcast_with_unsorted_axes(Simplifier& simplifier, const Candidate& node) {
  Axes axes = node.attrs.ints("axes");
  if (std::is_sorted(axes.begin(), axes.end())) return {};
  const ValueId sorted = simplifier.transpose(node.operands[0], sorting_order(axes));
  std::sort(axes.begin(), axes.end());
  return simplifier.broadcast(sorted, node.type.shape, std::move(axes));
}

Result movement_of_uniform(Simplifier& simplifier, const Candidate& node) {
  const std::optional<Tensor> scalar = simplifier.uniform(node.operands[0]);
  if (!scalar) return {};
  for (ValueId operand : node.operands) {
    const std::optional<Tensor> other = simplifier.uniform(operand);
    if (!other || !same_bits(*other, *scalar)) return {};
  }
  return simplifier.fill(*scalar, node.type.shape);
}

Result slice_of_slice(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Slice);
  if (inner == nullptr) return {};
  Axes start = node.attrs.ints("start");
  Axes stride = node.attrs.ints("stride");
  for (size_t axis = 0; axis < start.size(); ++axis) {
    const int64_t inner_stride = inner->attrs.ints("stride")[axis];
    const int64_t inner_start = inner->attrs.ints("start")[axis];
    // What is empty may start behind the last element: there the outer axis may have ended.
    const bool is_empty = node.type.shape[static_cast<int64_t>(axis)] == 0;
    start[axis] = is_empty ? inner_start : inner_start + start[axis] * inner_stride;
    stride[axis] *= inner_stride;
  }
  return simplifier.slice(inner->operands[0], start, node.type.shape, stride);
}

Result slice_of_broadcast(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Broadcast);
  if (inner == nullptr) return {};
  const ValueId source = inner->operands[0];
  const Axes axes = inner->attrs.ints("axes");
  Axes start;
  Axes stride;
  Axes dims = simplifier.shape(source).dims();
  for (size_t k = 0; k < axes.size(); ++k) {
    const bool is_stretched = dims[k] == 1;
    start.push_back(is_stretched ? 0 : node.attrs.ints("start")[at(axes[k])]);
    stride.push_back(is_stretched ? 1 : node.attrs.ints("stride")[at(axes[k])]);
    if (!is_stretched) dims[k] = node.type.shape[axes[k]];
  }
  const ValueId sliced = simplifier.slice(source, start, Shape(std::move(dims)), stride);
  return simplifier.broadcast(sliced, node.type.shape, axes);
}

/// The last position that a slice of `size` elements reads, plus one.
int64_t end_of(int64_t start, int64_t size, int64_t stride) {
  return size == 0 ? start : start + (size - 1) * stride + 1;
}

Result slice_inside_pad(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Pad);
  if (inner == nullptr) return {};
  const ValueId source = inner->operands[0];
  const Axes& stride = node.attrs.ints("stride");
  Axes start = node.attrs.ints("start");
  for (int64_t axis = 0; axis < node.type.shape.rank(); ++axis) {
    start[at(axis)] -= inner->attrs.ints("low")[at(axis)];
    const int64_t end = end_of(start[at(axis)], node.type.shape[axis], stride[at(axis)]);
    if (start[at(axis)] < 0 || end > simplifier.shape(source)[axis]) return {};
  }
  return simplifier.slice(source, start, node.type.shape, stride);
}

Result slice_inside_concat(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Concat);
  if (inner == nullptr) return {};
  const int64_t axis = inner->attrs.integer("axis");
  const Axes& stride = node.attrs.ints("stride");
  Axes start = node.attrs.ints("start");
  for (ValueId operand : inner->operands) {
    const int64_t size = simplifier.shape(operand)[axis];
    const int64_t end = end_of(start[at(axis)], node.type.shape[axis], stride[at(axis)]);
    if (start[at(axis)] >= 0 && end <= size) {
      return simplifier.slice(operand, start, node.type.shape, stride);
    }
    start[at(axis)] -= size;
  }
  return {};
}

Result reverse_of_unit_axes(Simplifier& simplifier, const Candidate& node) {
  Axes axes;
  for (int64_t axis : node.attrs.ints("axes")) {
    if (node.type.shape[axis] != 1) axes.push_back(axis);
  }
  if (axes.empty()) return node.operands[0];
  std::sort(axes.begin(), axes.end());
  if (axes == node.attrs.ints("axes")) return {};
  return simplifier.add(OpKind::Reverse, node.operands, {{"axes", std::move(axes)}});
}

Result reverse_of_reverse(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Reverse);
  if (inner == nullptr) return {};
  Axes outer_axes = node.attrs.ints("axes");
  Axes inner_axes = inner->attrs.ints("axes");
  std::sort(outer_axes.begin(), outer_axes.end());
  std::sort(inner_axes.begin(), inner_axes.end());
  Axes axes;
  std::set_symmetric_difference(outer_axes.begin(), outer_axes.end(), inner_axes.begin(),
                                inner_axes.end(), std::back_inserter(axes));
  return simplifier.add(OpKind::Reverse, {inner->operands[0]}, {{"axes", std::move(axes)}});
}

Result pad_of_pad(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Pad);
  if (inner == nullptr || inner->operands[1] != node.operands[1]) return {};
  Axes low = node.attrs.ints("low");
  Axes high = node.attrs.ints("high");
  for (size_t axis = 0; axis < low.size(); ++axis) {
    low[axis] += inner->attrs.ints("low")[axis];
    high[axis] += inner->attrs.ints("high")[axis];
  }
  return simplifier.add(OpKind::Pad, inner->operands,
                        {{"low", std::move(low)}, {"high", std::move(high)}});
}

Result concat_without_empty_operands(Simplifier& simplifier, const Candidate& node) {
  const int64_t axis = node.attrs.integer("axis");
  std::vector<ValueId> operands;
  for (ValueId operand : node.operands) {
    if (simplifier.shape(operand)[axis] != 0) operands.push_back(operand);
  }
  if (operands.size() == node.operands.size() || operands.empty()) return {};
  return simplifier.add(OpKind::Concat, std::move(operands), node.attrs);
}

Result concat_of_concat(Simplifier& simplifier, const Candidate& node) {
  std::vector<ValueId> operands;
  for (ValueId operand : node.operands) {
    const Node* inner = simplifier.made_by(operand, OpKind::Concat);
    if (inner != nullptr && inner->attrs.integer("axis") == node.attrs.integer("axis")) {
      operands.insert(operands.end(), inner->operands.begin(), inner->operands.end());
    } else {
      operands.push_back(operand);
    }
  }
  if (operands == node.operands) return {};
  return simplifier.add(OpKind::Concat, std::move(operands), node.attrs);
}

/// Of slices of one value that follow each other on the axis and agree elsewhere.
Result concat_of_neighbours(Simplifier& simplifier, const Candidate& node) {
  const auto axis = at(node.attrs.integer("axis"));
  Axes start;
  Axes next;
  Result source;
  for (ValueId operand : node.operands) {
    const Node* slice = simplifier.made_by(operand, OpKind::Slice);
    if (slice == nullptr || (source && slice->operands[0] != *source)) return {};
    const Axes& stride = slice->attrs.ints("stride");
    if (std::any_of(stride.begin(), stride.end(), [](int64_t step) { return step != 1; }))
      return {};
    if (!source) start = next = slice->attrs.ints("start");
    if (slice->attrs.ints("start") != next) return {};
    source = slice->operands[0];
    next[axis] += simplifier.shape(operand)[static_cast<int64_t>(axis)];
  }
  return simplifier.slice(*source, start, node.type.shape, Axes(start.size(), 1));
}

constexpr RewriteRule kRules[] = {
    {OpKind::Reshape, "reshape(a, shape(a)) ==> a", same_shape},
    {OpKind::Reshape, "reshape(reshape(a), s) ==> reshape(a, s)", reshape_of_reshape},
    {OpKind::Reshape,
     "reshape(broadcast(a), s) ==> broadcast(reshape(a), s) if only axes of size 1 come or go",
     reshape_of_broadcast},
    {OpKind::Transpose, "transpose(a, identity) ==> a", transpose_identity},
    {OpKind::Transpose, "transpose(transpose(a, p), q) ==> transpose(a, p[q])",
     transpose_of_transpose},
    {OpKind::Transpose, "transpose(a) ==> reshape(a) if only axes of size 1 move",
     transpose_of_unit_axes},
    {OpKind::Transpose, "transpose(broadcast(a)) ==> broadcast(a) along the moved axes",
     transpose_of_broadcast},
    {OpKind::Broadcast, "broadcast(a) ==> reshape(a) if only axes of size 1 come or go",
     broadcast_without_repeat},
    {OpKind::Broadcast, "broadcast(broadcast(a)) ==> broadcast(a)", broadcast_of_broadcast},
    {OpKind::Broadcast, "broadcast(a) ==> broadcast(reshape(a)) without the axes of size 1 of a",
     broadcast_of_unit_axes},
    {OpKind::Broadcast, "broadcast(a, unsorted axes) ==> broadcast(transpose(a), sorted axes)",
     broadcast_with_unsorted_axes},
    {OpKind::Slice, "slice(a, everything) ==> a", same_shape},
    {OpKind::Slice, "slice(c) ==> c if all elements are equal", movement_of_uniform},
    {OpKind::Slice, "slice(slice(a)) ==> slice(a)", slice_of_slice},
    {OpKind::Slice, "slice(broadcast(a)) ==> broadcast(slice(a))", slice_of_broadcast},
    {OpKind::Slice, "slice(pad(a)) ==> slice(a) if it reads no padding", slice_inside_pad},
    {OpKind::Slice, "slice(concat(a, b)) ==> slice(a) if it reads nothing else",
     slice_inside_concat},
    {OpKind::Reverse, "reverse(a) ==> a on axes of size 1", reverse_of_unit_axes},
    {OpKind::Reverse, "reverse(c) ==> c if all elements are equal", movement_of_uniform},
    {OpKind::Reverse, "reverse(reverse(a)) ==> a on the axes reversed twice", reverse_of_reverse},
    {OpKind::Pad, "pad(a, by nothing) ==> a", same_shape},
    {OpKind::Pad, "pad(c, c) ==> c if all elements are equal", movement_of_uniform},
    {OpKind::Pad, "pad(pad(a, c), c) ==> pad(a, c)", pad_of_pad},
    {OpKind::Concat, "concat(a) ==> a, also if the other operands are empty", same_shape},
    {OpKind::Concat, "concat(a, empty, b) ==> concat(a, b)", concat_without_empty_operands},
    {OpKind::Concat, "concat(concat(a, b), c) ==> concat(a, b, c)", concat_of_concat},
    {OpKind::Concat, "concat(c, c) ==> c if all elements are equal", movement_of_uniform},
    {OpKind::Concat, "concat(slice(a), slice(a)) ==> slice(a) if they are neighbours",
     concat_of_neighbours},
};

}  // namespace

std::span<const RewriteRule> movement_rules() { return kRules; }

}  // namespace gradc
