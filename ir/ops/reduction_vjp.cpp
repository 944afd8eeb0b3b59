// Derivatives of the reductions.
#include "ir/ops/reduction.h"

namespace gradc::ops {
namespace {

/// Repeats a value of the result's shape over the reduced axes.
ValueId spread_back(VjpContext& context, ValueId value) {
  GraphBuilder& b = context.builder;
  const Shape shape = b.shape(context.operands[0]);
  return b.broadcast(value, shape, other_axes(axis_mask(context.attrs.ints("axes"), shape.rank())));
}

/// The elements equal to the result share its cotangent.
void share_among_equal(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const ValueId operand = context.operands[0];
  const ValueId is_best = b.add(OpKind::Equal, {operand, spread_back(context, context.results[0])});
  const ValueId count =
      b.reduce(OpKind::Sum, b.convert(is_best, b.dtype(operand)), context.attrs.ints("axes"));
  const ValueId share = b.div(*context.cotangents[0], count);
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
  const ValueId count = b.fill_like(cotangent, static_cast<double>(reduced.element_count()));
  context.add(0, spread_back(context, b.div(cotangent, count)));
}

void Max::vjp(VjpContext& context) { share_among_equal(context); }
void Min::vjp(VjpContext& context) { share_among_equal(context); }

/// dx[i] = dy * (product of the others). Let p be the product without the zeros: with no zero it is
/// p / x[i]; with one zero it is p there and 0 elsewhere; with more it is 0.
void Prod::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  GraphBuilder& b = context.builder;
  const ValueId x = context.operands[0];
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  const ValueId zero = b.fill_like(x, 0);
  const ValueId one = b.fill_like(x, 1);
  const ValueId is_zero = b.add(OpKind::Equal, {x, zero});
  const ValueId nonzero = b.select(is_zero, one, x);
  const ValueId product = spread_back(context, b.reduce(OpKind::Prod, nonzero, axes));
  const ValueId zeros =
      spread_back(context, b.reduce(OpKind::Sum, b.convert(is_zero, b.dtype(x)), axes));
  const ValueId at_zero = b.select(b.add(OpKind::Equal, {zeros, one}), product, zero);
  const ValueId elsewhere =
      b.select(b.add(OpKind::Equal, {zeros, zero}), b.div(product, nonzero), zero);
  const ValueId others = b.select(is_zero, at_zero, elsewhere);
  context.add(0, b.mul(spread_back(context, *context.cotangents[0]), others));
}

}  // namespace gradc::ops
