// The gradient of a convolution with respect to its images, for loops.
#pragma once
#include <optional>

#include "ir/graph.h"

namespace gradc {

/// It is a convolution itself: of the gradient with padding around it, with the kernel turned
/// around. Made beforehand, both are read along the lanes and without questions at the borders.
struct InputGradient {
  Graph padded;       // gradient -> what the convolution reads
  Graph turned;       // kernel [spatial, channels, filters] -> [reversed, filters, channels]
  Graph convolution;  // of the two
};

/// Of a body that is the one op, without strides and groups; nothing for others.
std::optional<InputGradient> as_convolution(const Graph& body);

}  // namespace gradc
