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

/// Is the library as fast as loops, and to be trusted with it? Few channels give it little to do
/// for each filter: short convolutions are loops where the filters fill vectors. In the kernel
/// gradient of a strided convolution with a
/// kernel of one element oneDNN 2.6.3 writes behind its scratch memory, as far as its threads'
/// parts of it overlap.
bool suits_library(OpKind kind, const ConvolutionShape& shape);

/// The convolution of f32 for the library that a body computes; nothing if it computes anything
/// else.
std::optional<ConvolutionPattern> match_convolution(const Graph& body);

}  // namespace gradc
