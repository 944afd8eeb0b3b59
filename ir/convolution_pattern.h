// Recognizes a body that is one convolution with a bias.
#pragma once
#include "ir/convolution_shape.h"

namespace gradc {

/// conv, conv_input or conv_kernel of two inputs of the body; + bias[o] after conv.
struct ConvolutionPattern {
  OpKind kind = OpKind::Conv;
  ConvolutionShape shape;
  int32_t lhs = 0, rhs = 0;  // positions of the body's inputs
  int32_t bias = -1;         // of `filters` elements, or -1
};

/// The convolution of f32 that a body computes; nothing if it computes anything else.
std::optional<ConvolutionPattern> match_convolution(const Graph& body);

}  // namespace gradc
