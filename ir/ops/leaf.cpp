// Shape rules and evaluation of constant and iota.
#include "ir/ops/leaf.h"

namespace gradc::ops {

std::vector<Type> Constant::infer(const InferContext& context) {
  return {context.attrs.get<Tensor>("value").type()};
}

std::vector<Tensor> Constant::eval(const EvalContext& context) {
  return {context.attrs.get<Tensor>("value")};
}

std::vector<Type> Iota::infer(const InferContext& context) {
  const DType dtype = context.attrs.get<DType>("dtype");
  Shape shape(context.attrs.ints("shape"));
  if (dtype == DType::Bool) throw dtype_error("iota gives numbers, not bool");
  check_axes("iota", {context.attrs.integer("axis")}, shape.rank());
  return {{dtype, std::move(shape)}};
}

std::vector<Tensor> Iota::eval(const EvalContext& context) {
  Tensor result(context.results[0]);
  const int64_t axis = context.attrs.integer("axis");
  const int64_t size = result.shape()[axis];
  const int64_t inner = result.shape().strides()[static_cast<size_t>(axis)];
  visit_dtype(result.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto out = result.span<T>();
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t index = static_cast<int64_t>(i) / inner % size;
      if constexpr (std::is_arithmetic_v<T>)
        out[i] = static_cast<T>(index);
      else
        out[i] = T(static_cast<float>(index));
    }
  });
  return {std::move(result)};
}

}  // namespace gradc::ops
