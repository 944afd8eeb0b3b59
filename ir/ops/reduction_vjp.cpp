// Derivatives of the reductions.
#include "ir/accumulator_dtype.h"
#include "ir/ops/reduction.h"

namespace gradc::ops {
namespace {

/// Repeats a value of the result's shape over the reduced axes.
ValueId spread_back(VjpContext& context, ValueId value) {
  GraphBuilder& b = context.builder;
  const Shape shape = b.shape(context.operands[0]);
  return b.broadcast(value, shape, other_axes(axis_mask(context.attrs.ints("axes"), shape.rank())));
}

/// cotangent / count, of narrow floats in the accumulator's dtype: a count may be beyond theirs.
ValueId share_of(GraphBuilder& b, ValueId cotangent, ValueId count) {
  const ValueId wide = b.convert(cotangent, b.dtype(count));
  return b.convert(b.div(wide, count), b.dtype(cotangent));
}

/// The elements equal to the result share its cotangent.
void share_among_equal(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const ValueId operand = context.operands[0];
  const ValueId is_best = b.add(OpKind::Equal, {operand, spread_back(context, context.results[0])});
  const DType wide = accumulator_dtype(b.dtype(operand));
  const ValueId count = b.reduce(OpKind::Sum, b.convert(is_best, wide), context.attrs.ints("axes"));
  const ValueId share = share_of(b, *context.cotangents[0], count);
  context.add(0, b.select(is_best, spread_back(context, share), b.fill_like(operand, 0)));
}

}  // namespace

void Sum::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  context.add(0, spread_back(context, *context.cotangents[0]));
}

void Mean::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const Shape reduced(pick(b.shape(context.operands[0]), context.attrs.ints("axes")));
  const ValueId cotangent = *context.cotangents[0];
  const Type wide{accumulator_dtype(b.dtype(cotangent)), b.shape(cotangent)};
  const ValueId count = b.fill(wide, static_cast<double>(reduced.element_count()));
  context.add(0, spread_back(context, share_of(b, cotangent, count)));
}

void Max::vjp(VjpContext& context) { share_among_equal(context); }
void Min::vjp(VjpContext& context) { share_among_equal(context); }

/// dx[i] = dy * (product of the others). Let p be the product without the zeros: with no zero it is
/// p / x[i]; with one zero it is p there and 0 elsewhere; with more it is 0. Of narrow floats in
/// the accumulator's dtype, where p may lie beyond theirs.
void Prod::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const DType dtype = b.dtype(context.operands[0]);
  const DType wide = accumulator_dtype(dtype);
  const ValueId x = b.convert(context.operands[0], wide);
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  const ValueId zero = b.fill_like(x, 0);
  const ValueId one = b.fill_like(x, 1);
  const ValueId is_zero = b.add(OpKind::Equal, {x, zero});
  const ValueId nonzero = b.select(is_zero, one, x);
  const ValueId product = spread_back(context, b.reduce(OpKind::Prod, nonzero, axes));
  const ValueId zeros = spread_back(context, b.reduce(OpKind::Sum, b.convert(is_zero, wide), axes));
  const ValueId at_zero = b.select(b.add(OpKind::Equal, {zeros, one}), product, zero);
  const ValueId elsewhere =
      b.select(b.add(OpKind::Equal, {zeros, zero}), b.div(product, nonzero), zero);
  const ValueId others = b.select(is_zero, at_zero, elsewhere);
  const ValueId cotangent = spread_back(context, b.convert(*context.cotangents[0], wide));
  context.add(0, b.convert(b.mul(cotangent, others), dtype));
}

}  // namespace gradc::ops
