// The pattern of a convolution as a step.
#include "codegen/lower_conv.h"

#include "ir/convolution_pattern.h"

namespace gradc {

std::optional<ConvStep> lower_conv(const Graph& body) {
  const std::optional<ConvolutionPattern> pattern = match_convolution(body);
  if (!pattern || pattern->shape.multiplications() == 0) return std::nullopt;
  const ConvolutionShape& shape = pattern->shape;
  ConvStep step;
  step.kind = pattern->kind == OpKind::Conv        ? ConvStep::Kind::Forward
              : pattern->kind == OpKind::ConvInput ? ConvStep::Kind::Input
                                                   : ConvStep::Kind::Kernel;
  step.batch = shape.batch;
  step.channels = shape.channels;
  step.filters = shape.filters;
  step.groups = shape.groups;
  step.input = shape.input;
  step.kernel = shape.kernel;
  step.output = shape.output;
  step.stride = shape.stride;
  step.low = shape.low;
  step.high = shape.high;
  step.dilation = shape.dilation;
  step.lhs = pattern->lhs;
  step.rhs = pattern->rhs;
  step.bias = pattern->bias;
  step.multiplications = shape.multiplications();
  return step;
}

}  // namespace gradc
