// The smallest graph that still goes wrong.
#pragma once
#include <functional>

#include "tests/soak/random_sample.h"

namespace gradc::testing {

/// `sample` with fewer outputs, nodes, inputs and elements, as long as `fails` holds: values become
/// inputs that hold what they were, nodes (also of bodies) give way to an operand or to ones, sizes
/// become smaller. `fails` must not throw and holds for `sample`.
Sample shrink(Sample sample, const std::function<bool(const Sample&)>& fails);

}  // namespace gradc::testing
