// Where in a graph values stop being numbers.
#pragma once
#include <string>

#include "tools/graph_values.h"

namespace gradc {

/// The first node behind a loss or a new value of state that is NaN (or, where none is, infinite),
/// whose operands are not: "first in `div` f32[32, 10] (mnist.grad:7:12, gradient of
/// hidden.kernel): element 5 is nan". Of a group the op in it, of a scan its round, as the
/// interpreter finds them. Also names data and state that were no numbers before. Empty where all
/// outputs are finite.
std::string locate_nan(const Graph& fused, const Values& values);

}  // namespace gradc
