// Movement, reduction and contraction of tensors.
#include <algorithm>
#include <numeric>

#include "frontend/tensor_ops.h"

namespace gradc {

namespace {

[[noreturn]] void fail(const std::string& code, const std::string& message) {
  throw Error(ExitCode::ModelOrData, code, message);
}

std::vector<int64_t> counted(int64_t count, int64_t start = 0) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), start);
  return numbers;
}

}  // namespace

int64_t TensorOps::checked_axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail("E0408", fmt::format("there is no axis {}: the rank is {}", axis, rank));
  return axis < 0 ? axis + rank : axis;
}

TensorId TensorOps::reshape(TensorId a, const Shape& shape) {
  if (type(a).shape == shape) return a;
  if (type(a).shape.element_count() != shape.element_count())
    fail("E0402",
         fmt::format("{} has {} elements, {} has {}", to_string(type(a)),
                     type(a).shape.element_count(), to_string(shape), shape.element_count()));
  return draft_.add(OpKind::Reshape, {a}, {{"shape", shape.dims()}});
}

TensorId TensorOps::transpose(TensorId a, std::vector<int64_t> permutation) {
  const int64_t rank = type(a).shape.rank();
  for (int64_t& axis : permutation) axis = checked_axis(axis, rank);
  if (permutation == counted(rank)) return a;
  return draft_.add(OpKind::Transpose, {a}, {{"permutation", std::move(permutation)}});
}

TensorId TensorOps::broadcast(TensorId a, const Shape& shape) {
  const Shape& from = type(a).shape;
  if (from == shape) return a;
  const int64_t offset = shape.rank() - from.rank();
  bool fits = offset >= 0;
  for (int64_t axis = 0; fits && axis < from.rank(); ++axis)
    fits = from[axis] == 1 || from[axis] == shape[axis + offset];
  if (!fits)
    fail("E0403", fmt::format("{} cannot be repeated to {}", to_string(type(a)), to_string(shape)));
  return draft_.add(OpKind::Broadcast, {a},
                    {{"shape", shape.dims()}, {"axes", counted(from.rank(), offset)}});
}

TensorId TensorOps::expand(TensorId a, int64_t axis) {
  std::vector<int64_t> dims = type(a).shape.dims();
  const int64_t place = checked_axis(axis, type(a).shape.rank() + 1);
  dims.insert(dims.begin() + place, 1);
  return reshape(a, Shape(std::move(dims)));
}

TensorId TensorOps::squeeze(TensorId a, const std::vector<int64_t>& axes) {
  std::vector<int64_t> dims;
  for (int64_t axis = 0; axis < type(a).shape.rank(); ++axis)
    if (std::ranges::find(axes, axis) == axes.end()) dims.push_back(type(a).shape[axis]);
  return reshape(a, Shape(std::move(dims)));
}

TensorId TensorOps::slice(TensorId a, std::vector<int64_t> start, std::vector<int64_t> limit) {
  if (limit == type(a).shape.dims() && std::ranges::all_of(start, [](int64_t s) { return s == 0; }))
    return a;
  std::vector<int64_t> stride(start.size(), 1);
  return draft_.add(
      OpKind::Slice, {a},
      {{"start", std::move(start)}, {"limit", std::move(limit)}, {"stride", std::move(stride)}});
}

TensorId TensorOps::reverse(TensorId a, int64_t axis) {
  const int64_t place = checked_axis(axis, type(a).shape.rank());
  return draft_.add(OpKind::Reverse, {a}, {{"axes", std::vector<int64_t>{place}}});
}

TensorId TensorOps::pad(TensorId a, std::vector<int64_t> low, std::vector<int64_t> high,
                        const NumberValue& value) {
  const TensorId filler = number(value, type(a).dtype);
  return draft_.add(OpKind::Pad, {a, filler}, {{"low", std::move(low)}, {"high", std::move(high)}});
}

TensorId TensorOps::concat(const std::vector<TensorId>& parts, int64_t axis) {
  if (parts.empty()) fail("E0402", "nothing to join: the list is empty");
  DType dtype = type(parts[0]).dtype;
  for (const TensorId part : parts) dtype = promote(dtype, type(part).dtype);
  std::vector<TensorId> operands;
  for (const TensorId part : parts) operands.push_back(convert(part, dtype));
  const int64_t place = checked_axis(axis, type(parts[0]).shape.rank());
  if (operands.size() == 1) return operands[0];
  return draft_.add(OpKind::Concat, std::move(operands), {{"axis", place}});
}

TensorId TensorOps::gather(TensorId a, TensorId indices, int64_t axis) {
  if (!is_int(type(indices).dtype))
    fail("E0507", fmt::format("indices are integers, got {}", to_string(type(indices))));
  const int64_t place = checked_axis(axis, type(a).shape.rank());
  return draft_.add(OpKind::Gather, {a, indices}, {{"axis", place}});
}

TensorId TensorOps::scatter_add(TensorId a, TensorId indices, TensorId updates, int64_t axis) {
  if (!is_int(type(indices).dtype))
    fail("E0507", fmt::format("indices are integers, got {}", to_string(type(indices))));
  const int64_t place = checked_axis(axis, type(a).shape.rank());
  return draft_.add(OpKind::ScatterAdd, {a, indices, updates}, {{"axis", place}});
}

TensorId TensorOps::reduce(OpKind kind, TensorId a, std::vector<int64_t> axes, bool keep) {
  const Shape shape = type(a).shape;
  for (int64_t& axis : axes) axis = checked_axis(axis, shape.rank());
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) fail("E0408", "an axis is given twice");
  const DType dtype = type(a).dtype;
  if (!is_float(dtype)) {
    if (kind == OpKind::Sum) a = convert(a, DType::I64);
    if (kind == OpKind::Mean) a = convert(a, DType::F32);
    if (dtype == DType::Bool && kind != OpKind::Sum && kind != OpKind::Mean)
      a = convert(a, DType::I32);
  }
  const bool is_identity = axes.empty() && kind != OpKind::ArgMax && kind != OpKind::ArgMin;
  const TensorId reduced = is_identity ? a : draft_.add(kind, {a}, {{"axes", axes}});
  if (!keep) return reduced;
  std::vector<int64_t> dims = shape.dims();
  for (const int64_t axis : axes) dims[static_cast<size_t>(axis)] = 1;
  return reshape(reduced, Shape(std::move(dims)));
}

TensorId TensorOps::matmul(TensorId a, TensorId b) {
  const DType dtype = promote(type(a).dtype, type(b).dtype);
  const std::string text = fmt::format("{} @ {}", to_string(type(a)), to_string(type(b)));
  a = convert(a, dtype <= DType::U8 ? DType::I32 : dtype);
  b = convert(b, dtype <= DType::U8 ? DType::I32 : dtype);
  const Shape& left = type(a).shape;
  const Shape& right = type(b).shape;
  if (left.rank() == 0 || right.rank() == 0)
    fail("E0401", text + ": a scalar has no axis to contract");
  const int64_t contracted = right.rank() == 1 ? 0 : right.rank() - 2;
  const int64_t size = left[left.rank() - 1];
  if (size != right[contracted]) {
    const bool would_fit = right.rank() == 2 && right[1] == size;
    fail("E0401",
         fmt::format("{}: {} (last axis of the left) against {} ({} axis of the right){}", text,
                     size, right[contracted], right.rank() <= 2 ? "first" : "last but one",
                     would_fit ? "\ntranspose the right operand: x @ transpose(w)" : ""));
  }
  if (right.rank() > 2) return batch_product(a, b);
  return draft_.add(OpKind::Dot, {a, b},
                    {{"lhs_batch", std::vector<int64_t>{}},
                     {"rhs_batch", std::vector<int64_t>{}},
                     {"lhs_contract", std::vector<int64_t>{left.rank() - 1}},
                     {"rhs_contract", std::vector<int64_t>{contracted}}});
}

// The right operand has leading axes: those of both sides broadcast.
TensorId TensorOps::batch_product(TensorId a, TensorId b) {
  const Shape left = type(a).shape;
  const Shape right = type(b).shape;
  const int64_t own_left = std::min<int64_t>(left.rank(), 2);
  const Shape lead_left(std::vector<int64_t>(left.begin(), left.end() - own_left));
  const Shape lead_right(std::vector<int64_t>(right.begin(), right.end() - 2));
  const int64_t rank = std::max(lead_left.rank(), lead_right.rank());
  std::vector<int64_t> lead(static_cast<size_t>(rank), 1);
  for (const Shape* shape : {&lead_left, &lead_right})
    for (int64_t axis = 0; axis < shape->rank(); ++axis) {
      int64_t& size = lead[static_cast<size_t>(axis + rank - shape->rank())];
      if ((*shape)[axis] != 1) size = (*shape)[axis];
    }
  const auto with_lead = [&](const Shape& shape, int64_t own) {
    std::vector<int64_t> dims = lead;
    dims.insert(dims.end(), shape.end() - own, shape.end());
    return Shape(std::move(dims));
  };
  a = broadcast(a, with_lead(left, own_left));
  b = broadcast(b, with_lead(right, 2));
  return draft_.add(OpKind::Dot, {a, b},
                    {{"lhs_batch", counted(rank)},
                     {"rhs_batch", counted(rank)},
                     {"lhs_contract", std::vector<int64_t>{rank + own_left - 1}},
                     {"rhs_contract", std::vector<int64_t>{rank}}});
}

}  // namespace gradc
