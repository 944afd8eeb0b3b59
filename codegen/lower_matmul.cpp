// The pattern of a matrix product as a step.
#include "codegen/lower_matmul.h"

#include "ir/matmul_pattern.h"

namespace gradc {

namespace {

MatmulStep::Activation step_activation(MatmulPattern::Activation activation) {
  switch (activation) {
    case MatmulPattern::Activation::None:
      return MatmulStep::Activation::None;
    case MatmulPattern::Activation::Relu:
      return MatmulStep::Activation::Relu;
    case MatmulPattern::Activation::Tanh:
      return MatmulStep::Activation::Tanh;
    case MatmulPattern::Activation::Sigmoid:
      return MatmulStep::Activation::Sigmoid;
  }
  CHECK(false, "activation {}", static_cast<int>(activation));
}

}  // namespace

std::optional<MatmulStep> lower_matmul(const Graph& body) {
  const std::optional<MatmulPattern> pattern = match_matmul(body);
  if (!pattern) return std::nullopt;
  MatmulStep step;
  step.outer = pattern->outer;
  step.lhs_outer = pattern->lhs_outer;
  step.rhs_outer = pattern->rhs_outer;
  step.out_outer = pattern->out_outer;
  step.batch = pattern->batch;
  step.m = pattern->m;
  step.n = pattern->n;
  step.k = pattern->k;
  step.lhs_strides = pattern->lhs_strides;
  step.rhs_strides = pattern->rhs_strides;
  step.out_strides = pattern->out_strides;
  step.lhs = pattern->lhs;
  step.rhs = pattern->rhs;
  step.bias = pattern->bias;
  step.out = 0;
  step.activation = step_activation(pattern->activation);
  return step;
}

}  // namespace gradc
