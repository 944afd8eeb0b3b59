// Shape rules, evaluation and derivatives of gather and scatter_add.
#include "ir/ops/index.h"

#include <algorithm>

#include "ir/ops/elementwise.h"

namespace gradc::ops {
namespace {

/// The shape of what is read at (or added to) the indices.
Shape picked_shape(std::string_view op, const Type& operand, const Type& indices, int64_t axis) {
  check_axes(op, {axis}, operand.shape.rank());
  if (!is_int(indices.dtype))
    throw dtype_error(fmt::format("{}: indices must be integers, not {}", op, to_string(indices)));
  const bool has_indices =
      std::find(indices.shape.begin(), indices.shape.end(), 0) == indices.shape.end();
  if (operand.shape[axis] == 0 && has_indices)
    throw shape_error(fmt::format("{}: axis {} of {} is empty", op, axis, to_string(operand)));
  std::vector<int64_t> dims(operand.shape.begin(), operand.shape.begin() + axis);
  dims.insert(dims.end(), indices.shape.begin(), indices.shape.end());
  dims.insert(dims.end(), operand.shape.begin() + axis + 1, operand.shape.end());
  return Shape(std::move(dims));
}

std::vector<int64_t> clamped_indices(const Tensor& indices, int64_t size) {
  std::vector<int64_t> clamped(static_cast<size_t>(indices.size()));
  visit_dtype(indices.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      const auto in = indices.span<T>();
      for (size_t i = 0; i < in.size(); ++i) clamped[i] = std::clamp<int64_t>(in[i], 0, size - 1);
    }
  });
  return clamped;
}

/// Sizes of an operand seen as [outer, size, inner] around the axis.
struct Parts {
  size_t outer = 1;
  size_t size = 1;
  size_t inner = 1;
};

Parts parts(const Shape& shape, int64_t axis) {
  Parts parts;
  for (int64_t k = 0; k < shape.rank(); ++k)
    (k < axis    ? parts.outer
     : k == axis ? parts.size
                 : parts.inner) *= static_cast<size_t>(shape[k]);
  return parts;
}

}  // namespace

std::vector<Type> Gather::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  return {{operand.dtype,
           picked_shape("gather", operand, context.operands[1], context.attrs.integer("axis"))}};
}

std::vector<Tensor> Gather::eval(const EvalContext& context) {
  const Tensor& operand = context.operands[0];
  Tensor result(context.results[0]);
  if (result.is_empty()) return {std::move(result)};
  const Parts at = parts(operand.shape(), context.attrs.integer("axis"));
  const std::vector<int64_t> indices =
      clamped_indices(context.operands[1], static_cast<int64_t>(at.size));
  visit_dtype(operand.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto in = operand.span<T>();
    T* out = result.span<T>().data();
    for (size_t p = 0; p < at.outer; ++p)
      for (int64_t i : indices) {
        const size_t row = p * at.size + static_cast<size_t>(i);
        out = std::copy_n(in.data() + row * at.inner, at.inner, out);
      }
  });
  return {std::move(result)};
}

void Gather::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  const ValueId zeros = context.builder.fill_like(context.operands[0], 0);
  context.add(
      0, context.builder.add(OpKind::ScatterAdd,
                             {zeros, context.operands[1], *context.cotangents[0]}, context.attrs));
}

std::vector<Type> ScatterAdd::infer(const InferContext& context) {
  const Type& base = context.operands[0];
  const Type& updates = context.operands[2];
  if (base.dtype == DType::Bool || base.dtype != updates.dtype)
    throw dtype_error(fmt::format("scatter_add takes numbers of one dtype, not {} and {}",
                                  to_string(base), to_string(updates)));
  const Shape expected =
      picked_shape("scatter_add", base, context.operands[1], context.attrs.integer("axis"));
  if (updates.shape != expected)
    throw shape_error(
        fmt::format("scatter_add: updates {} where the indices {} on axis {} of {} "
                    "take {}",
                    to_string(updates), to_string(context.operands[1]),
                    context.attrs.integer("axis"), to_string(base), to_string(expected)));
  return {base};
}

std::vector<Tensor> ScatterAdd::eval(const EvalContext& context) {
  Tensor result = context.operands[0].clone();
  const Tensor& updates = context.operands[2];
  if (updates.is_empty()) return {std::move(result)};
  const Parts at = parts(result.shape(), context.attrs.integer("axis"));
  const std::vector<int64_t> indices =
      clamped_indices(context.operands[1], static_cast<int64_t>(at.size));
  visit_dtype(result.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto out = result.span<T>();
    const T* in = updates.span<T>().data();
    for (size_t p = 0; p < at.outer; ++p)
      for (int64_t i : indices)
        for (size_t r = 0; r < at.inner; ++r) {
          T& element = out[(p * at.size + static_cast<size_t>(i)) * at.inner + r];
          element = store_scalar<T>(load_scalar(element) + load_scalar(*in++));
        }
  });
  return {std::move(result)};
}

void ScatterAdd::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  const ValueId cotangent = *context.cotangents[0];
  if (context.needs(0)) context.add(0, cotangent);
  if (context.needs(2))
    context.add(
        2, context.builder.add(OpKind::Gather, {cotangent, context.operands[1]}, context.attrs));
}

}  // namespace gradc::ops
