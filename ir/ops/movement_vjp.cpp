// Derivatives of the movement ops: each is the movement back, with sums where elements were
// repeated.
#include <algorithm>

#include "ir/ops/movement.h"

namespace gradc::ops {
namespace {

ValueId zero_scalar(GraphBuilder& b, DType dtype) { return b.constant(Tensor::scalar(dtype, 0)); }

ValueId pad(GraphBuilder& b, ValueId x, ValueId fill, std::vector<int64_t> low,
            std::vector<int64_t> high) {
  const auto is_zero = [](int64_t n) { return n == 0; };
  if (std::all_of(low.begin(), low.end(), is_zero) &&
      std::all_of(high.begin(), high.end(), is_zero))
    return x;
  return b.add(OpKind::Pad, {x, fill}, {{"low", std::move(low)}, {"high", std::move(high)}});
}

ValueId slice(GraphBuilder& b, ValueId x, std::vector<int64_t> start, std::vector<int64_t> limit) {
  std::vector<int64_t> stride(start.size(), 1);
  return b.add(
      OpKind::Slice, {x},
      {{"start", std::move(start)}, {"limit", std::move(limit)}, {"stride", std::move(stride)}});
}

/// Puts stride[k] - 1 zeros after each element on each axis: the inverse of a strided slice, up to
/// the end of the axis. Shape: size n becomes min(n * stride, available).
ValueId spread(GraphBuilder& b, ValueId x, const std::vector<int64_t>& stride,
               const std::vector<int64_t>& available) {
  const ValueId zero = zero_scalar(b, b.dtype(x));
  for (size_t axis = 0; axis < stride.size(); ++axis) {
    std::vector<int64_t> dims = b.shape(x).dims();
    const int64_t size = dims[axis];
    if (stride[axis] == 1 || size <= 1) continue;
    std::vector<int64_t> split = dims;
    split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
    const ValueId column = b.reshape(x, Shape(split));
    std::vector<int64_t> high(split.size(), 0);
    high[axis + 1] = stride[axis] - 1;
    const ValueId padded = pad(b, column, zero, std::vector<int64_t>(split.size(), 0), high);
    dims[axis] = size * stride[axis];
    x = b.reshape(padded, Shape(dims));
    if (dims[axis] > available[axis]) {
      dims[axis] = available[axis];
      x = slice(b, x, std::vector<int64_t>(dims.size(), 0), dims);
    }
  }
  return x;
}

}  // namespace

void Reshape::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  context.add(0, b.reshape(*context.cotangents[0], Shape(b.shape(context.operands[0]))));
}

void Transpose::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  const std::vector<int64_t>& permutation = context.attrs.ints("permutation");
  std::vector<int64_t> inverse(permutation.size());
  for (size_t j = 0; j < permutation.size(); ++j)
    inverse[static_cast<size_t>(permutation[j])] = static_cast<int64_t>(j);
  context.add(0, context.builder.transpose(*context.cotangents[0], std::move(inverse)));
}

/// The sum over the new and the stretched axes, in the operand's axis order.
void Broadcast::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const Shape from = b.shape(context.operands[0]);
  const Shape to = b.shape(context.results[0]);
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  std::vector<int64_t> kept;
  for (size_t k = 0; k < axes.size(); ++k)
    if (from[static_cast<int64_t>(k)] == to[axes[k]]) kept.push_back(axes[k]);
  std::vector<int64_t> sorted = kept;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> permutation;
  for (int64_t axis : kept)
    permutation.push_back(std::lower_bound(sorted.begin(), sorted.end(), axis) - sorted.begin());
  const ValueId sum =
      b.reduce(OpKind::Sum, *context.cotangents[0], other_axes(axis_mask(kept, to.rank())));
  context.add(0, b.reshape(b.transpose(sum, std::move(permutation)), from));
}

void Slice::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const Shape from = b.shape(context.operands[0]);
  const std::vector<int64_t>& start = context.attrs.ints("start");
  std::vector<int64_t> available = from.dims();
  for (size_t k = 0; k < start.size(); ++k) available[k] -= start[k];
  const ValueId spaced = spread(b, *context.cotangents[0], context.attrs.ints("stride"), available);
  std::vector<int64_t> high = available;
  for (size_t k = 0; k < high.size(); ++k) high[k] -= b.shape(spaced)[static_cast<int64_t>(k)];
  context.add(0, pad(b, spaced, zero_scalar(b, b.dtype(spaced)), start, std::move(high)));
}

void Reverse::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  context.add(0, context.builder.add(OpKind::Reverse, {*context.cotangents[0]}, context.attrs));
}

/// da is the inner part, db the sum of the border: masked, not a difference of sums, so that it is
/// exact.
void Pad::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  GraphBuilder& b = context.builder;
  const ValueId cotangent = *context.cotangents[0];
  const std::vector<int64_t>& low = context.attrs.ints("low");
  const Shape inner = b.shape(context.operands[0]);
  if (context.needs(0)) {
    std::vector<int64_t> limit = low;
    for (size_t k = 0; k < limit.size(); ++k) limit[k] += inner[static_cast<int64_t>(k)];
    context.add(0, slice(b, cotangent, low, std::move(limit)));
  }
  if (context.needs(1)) {
    const ValueId is_border = b.add(
        OpKind::Pad, {b.fill({DType::Bool, inner}, 0), b.constant(Tensor::scalar(DType::Bool, 1))},
        context.attrs);
    const ValueId border = b.select(is_border, cotangent, b.fill_like(cotangent, 0));
    context.add(1, b.reduce(OpKind::Sum, border, other_axes(std::vector<bool>(low.size(), false))));
  }
}

void Concat::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  GraphBuilder& b = context.builder;
  const auto axis = static_cast<size_t>(context.attrs.integer("axis"));
  std::vector<int64_t> start(static_cast<size_t>(b.shape(context.results[0]).rank()), 0);
  for (size_t i = 0; i < context.operands.size(); ++i) {
    const Shape shape = b.shape(context.operands[i]);
    std::vector<int64_t> limit = shape.dims();
    limit[axis] += start[axis];
    if (context.needs(i)) context.add(i, slice(b, *context.cotangents[0], start, limit));
    start[axis] = limit[axis];
  }
}

}  // namespace gradc::ops
