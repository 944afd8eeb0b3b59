// Shape rules and evaluation of the movement ops.
#include "ir/ops/movement.h"

#include "ir/ops/strided_copy.h"

namespace gradc::ops {
namespace {

/// One entry per axis of the operand in each list.
void check_lengths(std::string_view op, const Type& operand,
                   std::initializer_list<const std::vector<int64_t>*> lists) {
  for (const std::vector<int64_t>* list : lists)
    if (static_cast<int64_t>(list->size()) != operand.shape.rank())
      throw attr_error(fmt::format("{}: [{}] does not give each axis of {} a value", op,
                                   fmt::join(*list, ", "), to_string(operand)));
}

/// A result and the copy of `from` into all of it through `view`.
std::vector<Tensor> gather_view(const EvalContext& context, const View& view) {
  Tensor result(context.results[0]);
  copy_strided(result.shape(), context.operands[0], view, result, {0, result.shape().strides()});
  return {std::move(result)};
}

}  // namespace

std::vector<Type> Reshape::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  Shape shape(context.attrs.ints("shape"));
  check_dims(shape);
  if (shape.element_count() != operand.shape.element_count())
    throw attr_error(fmt::format("reshape: {} has {} elements, {} has {}", to_string(operand),
                                 operand.shape.element_count(), to_string(shape),
                                 shape.element_count()));
  return {{operand.dtype, std::move(shape)}};
}

std::vector<Tensor> Reshape::eval(const EvalContext& context) {
  return {context.operands[0].reshaped(context.results[0].shape)};
}

std::vector<Type> Transpose::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  const std::vector<int64_t>& permutation = context.attrs.ints("permutation");
  check_lengths("transpose", operand, {&permutation});
  check_axes("transpose", permutation, operand.shape.rank());
  return {{operand.dtype, Shape(pick(operand.shape, permutation))}};
}

std::vector<Tensor> Transpose::eval(const EvalContext& context) {
  const std::vector<int64_t> strides = context.operands[0].shape().strides();
  View view;
  for (int64_t axis : context.attrs.ints("permutation"))
    view.strides.push_back(strides[static_cast<size_t>(axis)]);
  return gather_view(context, view);
}

std::vector<Type> Broadcast::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  Shape shape(context.attrs.ints("shape"));
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  check_lengths("broadcast", operand, {&axes});
  check_axes("broadcast", axes, shape.rank());
  for (size_t k = 0; k < axes.size(); ++k) {
    const int64_t size = operand.shape[static_cast<int64_t>(k)];
    if (size != 1 && size != shape[axes[k]])
      throw shape_error(fmt::format("broadcast: axis {} of {} does not fit axis {} of {}", k,
                                    to_string(operand), axes[k], to_string(shape)));
  }
  return {{operand.dtype, std::move(shape)}};
}

std::vector<Tensor> Broadcast::eval(const EvalContext& context) {
  const Shape& from = context.operands[0].shape();
  const Shape& to = context.results[0].shape;
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  const std::vector<int64_t> strides = from.strides();
  View view{0, std::vector<int64_t>(static_cast<size_t>(to.rank()), 0)};
  for (size_t k = 0; k < axes.size(); ++k)
    if (from[static_cast<int64_t>(k)] == to[axes[k]])
      view.strides[static_cast<size_t>(axes[k])] = strides[k];
  return gather_view(context, view);
}

std::vector<Type> Slice::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  const std::vector<int64_t>& start = context.attrs.ints("start");
  const std::vector<int64_t>& limit = context.attrs.ints("limit");
  const std::vector<int64_t>& stride = context.attrs.ints("stride");
  check_lengths("slice", operand, {&start, &limit, &stride});
  std::vector<int64_t> dims;
  for (size_t k = 0; k < start.size(); ++k) {
    const int64_t size = operand.shape[static_cast<int64_t>(k)];
    if (start[k] < 0 || start[k] > limit[k] || limit[k] > size || stride[k] < 1)
      throw attr_error(fmt::format("slice: {}:{}:{} of axis {} of {}", start[k], limit[k],
                                   stride[k], k, to_string(operand)));
    dims.push_back((limit[k] - start[k] + stride[k] - 1) / stride[k]);
  }
  return {{operand.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> Slice::eval(const EvalContext& context) {
  const std::vector<int64_t>& start = context.attrs.ints("start");
  const std::vector<int64_t>& stride = context.attrs.ints("stride");
  View view{0, context.operands[0].shape().strides()};
  for (size_t k = 0; k < start.size(); ++k) {
    view.offset += start[k] * view.strides[k];
    view.strides[k] *= stride[k];
  }
  return gather_view(context, view);
}

std::vector<Type> Reverse::infer(const InferContext& context) {
  check_axes("reverse", context.attrs.ints("axes"), context.operands[0].shape.rank());
  return {context.operands[0]};
}

std::vector<Tensor> Reverse::eval(const EvalContext& context) {
  const Shape& shape = context.operands[0].shape();
  View view{0, shape.strides()};
  for (int64_t axis : context.attrs.ints("axes")) {
    int64_t& stride = view.strides[static_cast<size_t>(axis)];
    view.offset += (shape[axis] - 1) * stride;
    stride = -stride;
  }
  return gather_view(context, view);
}

std::vector<Type> Pad::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  const Type& value = context.operands[1];
  const std::vector<int64_t>& low = context.attrs.ints("low");
  const std::vector<int64_t>& high = context.attrs.ints("high");
  check_lengths("pad", operand, {&low, &high});
  if (value != Type{operand.dtype, {}})
    throw dtype_error(fmt::format("pad: {} is filled with a scalar of its dtype, not {}",
                                  to_string(operand), to_string(value)));
  std::vector<int64_t> dims = operand.shape.dims();
  for (size_t k = 0; k < dims.size(); ++k) {
    if (low[k] < 0 || high[k] < 0)
      throw attr_error(fmt::format("pad: {} before and {} after axis {}", low[k], high[k], k));
    dims[k] += low[k] + high[k];
  }
  return {{operand.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> Pad::eval(const EvalContext& context) {
  const Tensor& operand = context.operands[0];
  const std::vector<int64_t>& low = context.attrs.ints("low");
  Tensor result(context.results[0]);
  View view{0, result.shape().strides()};
  const View fill{0, std::vector<int64_t>(view.strides.size(), 0)};
  copy_strided(result.shape(), context.operands[1], fill, result, view);
  for (size_t k = 0; k < low.size(); ++k) view.offset += low[k] * view.strides[k];
  copy_strided(operand.shape(), operand, {0, operand.shape().strides()}, result, view);
  return {std::move(result)};
}

std::vector<Type> Concat::infer(const InferContext& context) {
  const Type& first = context.operands[0];
  const int64_t axis = context.attrs.integer("axis");
  check_axes("concat", {axis}, first.shape.rank());
  std::vector<int64_t> dims = first.shape.dims();
  dims[static_cast<size_t>(axis)] = 0;
  for (const Type& operand : context.operands) {
    std::vector<int64_t> rest = operand.shape.dims();
    if (operand.shape.rank() == first.shape.rank()) rest[static_cast<size_t>(axis)] = 0;
    std::vector<int64_t> expected = dims;
    expected[static_cast<size_t>(axis)] = 0;
    if (operand.dtype != first.dtype || rest != expected)
      throw shape_error(fmt::format("concat on axis {}: {} after {}", axis, to_string(operand),
                                    to_string(first)));
    dims[static_cast<size_t>(axis)] += operand.shape[axis];
  }
  return {{first.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> Concat::eval(const EvalContext& context) {
  const auto axis = static_cast<size_t>(context.attrs.integer("axis"));
  Tensor result(context.results[0]);
  View view{0, result.shape().strides()};
  for (const Tensor& operand : context.operands) {
    copy_strided(operand.shape(), operand, {0, operand.shape().strides()}, result, view);
    view.offset += operand.shape()[static_cast<int64_t>(axis)] * view.strides[axis];
  }
  return {std::move(result)};
}

}  // namespace gradc::ops
