// Shape rules of gradient, stop_gradient and accumulate.
#include "ir/ops/meta.h"

namespace gradc::ops {

std::vector<Type> Gradient::infer(const InferContext& context) {
  const Type& y = context.operands[0];
  if (!is_float(y.dtype) || y.shape.rank() != 0)
    throw Error(ExitCode::ModelOrData, "E0701",
                fmt::format("gradient of {}: only a float scalar has one", to_string(y)));
  const std::span<const Type> variables = context.operands.subspan(1);
  for (const Type& x : variables)
    if (!is_float(x.dtype))
      throw Error(ExitCode::ModelOrData, "E0705",
                  fmt::format("gradient by {}: only floats have one", to_string(x)));
  return {variables.begin(), variables.end()};
}

std::vector<Tensor> Gradient::eval(const EvalContext&) {
  CHECK(false, "gradient is expanded before evaluation");
}

void Gradient::vjp(VjpContext&) { CHECK(false, "inner gradients are expanded first"); }

std::vector<Type> StopGradient::infer(const InferContext& context) { return {context.operands[0]}; }

std::vector<Tensor> StopGradient::eval(const EvalContext& context) { return {context.operands[0]}; }

std::vector<Type> Accumulate::infer(const InferContext& context) { return {context.operands[0]}; }

std::vector<Tensor> Accumulate::eval(const EvalContext& context) { return {context.operands[0]}; }

void Accumulate::vjp(VjpContext& context) {
  if (context.cotangents[0] && context.needs(0)) context.add(0, *context.cotangents[0]);
}

}  // namespace gradc::ops
