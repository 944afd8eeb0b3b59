// From one fusion group of kind "conv" to a step for the library.
#pragma once
#include <optional>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// The convolution that `body` computes. lhs, rhs and bias are positions of the body's inputs, out
/// is a position of its outputs. Nothing where the body is none, or has nothing to add up.
std::optional<ConvStep> lower_conv(const Graph& body);

}  // namespace gradc
