// Running sums, sorting, and what is picked by position along an axis.
#include <algorithm>
#include <numeric>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

/// Swaps `axis` with the last one; twice is nothing.
TensorId swap_with_last(BuiltinCall& call, TensorId x, int64_t axis) {
  std::vector<int64_t> order(static_cast<size_t>(call.type(x).shape.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(axis)], order.back());
  return call.ops().transpose(x, order);
}

int64_t axis_of(BuiltinCall& call, TensorId x, size_t position) {
  return call.ops().checked_axis(call.integer(position, -1), call.type(x).shape.rank());
}

/// x[p, indices[p, i]] for every p of the axes before the last, by one lookup in the flat tensor.
TensorId pick_along_last(BuiltinCall& call, TensorId x, TensorId indices) {
  TensorOps& ops = call.ops();
  const Shape from = call.type(x).shape;
  const Shape to = call.type(indices).shape;
  const int64_t size = from[from.rank() - 1];
  const int64_t picked = to[to.rank() - 1];
  int64_t rows = 1;
  for (int64_t axis = 0; axis + 1 < to.rank(); ++axis) rows *= to[axis];
  const TensorId wide = ops.reshape(ops.convert(indices, DType::I64), Shape{rows, picked});
  const TensorId row = ops.iota(Shape{rows, 1}, 0, DType::I64);
  const TensorId start = ops.binary(OpKind::Mul, row, NumberValue::of(size));
  const TensorId place = ops.binary(OpKind::Add, wide, start);
  return ops.reshape(ops.gather(ops.reshape(x, Shape{rows * size}), place, 0), to);
}

TensorId permutation_along_last(BuiltinCall& call, TensorId x, bool is_descending) {
  return call.elaborator().draft().add(OpKind::ArgSort, {x}, {{"descending", is_descending}});
}

Value cumulative_sum(BuiltinCall& call) {
  TensorId x = call.tensor(0);
  const int64_t axis = axis_of(call, x, 1);
  if (!is_float(call.type(x).dtype)) x = call.ops().convert(x, DType::I64);
  const TensorId sums = call.elaborator().draft().add(
      OpKind::CumulativeSum, {swap_with_last(call, x, axis)},
      {{"reverse", call.boolean(2, false)}, {"exclusive", call.boolean(3, false)}});
  return swap_with_last(call, sums, axis);
}

Value argsort(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const int64_t axis = axis_of(call, x, 1);
  const TensorId order =
      permutation_along_last(call, swap_with_last(call, x, axis), call.boolean(2, false));
  return swap_with_last(call, order, axis);
}

Value sort(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const int64_t axis = axis_of(call, x, 1);
  const TensorId last = swap_with_last(call, x, axis);
  const TensorId order = permutation_along_last(call, last, call.boolean(2, false));
  return swap_with_last(call, pick_along_last(call, last, order), axis);
}

Value top_k(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const Shape shape = call.type(x).shape;
  const int64_t last = call.ops().checked_axis(-1, shape.rank());
  const int64_t count = call.integer(1, 0);
  if (count < 0 || count > shape[last])
    call.elaborator().fail(
        "E0404", call.where(1),
        fmt::format("the {} greatest of {}, which has {}", count, to_string(shape), shape[last]));
  std::vector<int64_t> limit = shape.dims();
  limit.back() = count;
  const TensorId best = call.ops().slice(permutation_along_last(call, x, true),
                                         std::vector<int64_t>(limit.size(), 0), limit);
  return Value::list({pick_along_last(call, x, best), best});
}

Value take_along_axis(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const TensorId indices = call.tensor(1);
  const int64_t axis = axis_of(call, x, 2);
  const Shape from = call.type(x).shape;
  const Shape to = call.type(indices).shape;
  if (!is_int(call.type(indices).dtype))
    call.elaborator().fail(
        "E0507", call.where(1),
        fmt::format("indices are integers, got {}", call.elaborator().describe(indices)));
  std::vector<int64_t> expected = from.dims();
  if (to.rank() == from.rank()) expected[static_cast<size_t>(axis)] = to[axis];
  if (to.dims() != expected)
    call.elaborator().fail("E0403", call.where(1),
                           fmt::format("indices {} for axis {} of {}: the other axes must agree",
                                       to_string(to), axis, to_string(from)));
  TensorId inside = call.ops().convert(indices, DType::I64);
  inside = call.ops().binary(OpKind::Maximum, inside, NumberValue::of(int64_t{0}));
  inside = call.ops().binary(OpKind::Minimum, inside,
                             NumberValue::of(std::max<int64_t>(from[axis] - 1, 0)));
  const TensorId picked =
      pick_along_last(call, swap_with_last(call, x, axis), swap_with_last(call, inside, axis));
  return swap_with_last(call, picked, axis);
}

constexpr Builtin kTable[] = {
    {"argsort", argsort}, {"cumulative_sum", cumulative_sum},
    {"sort", sort},       {"take_along_axis", take_along_axis},
    {"top_k", top_k},
};

}  // namespace

std::span<const Builtin> ordered_builtins() { return kTable; }

}  // namespace gradc
