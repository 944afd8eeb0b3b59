// Random typed graphs that rewrite rules like to apply to.
#pragma once
#include "ir/builder.h"

namespace gradc {

struct RandomProgram {
  Graph graph;
  std::vector<Tensor> inputs;
};

/// A graph of about `nodes` nodes over a few small inputs, a function of the seed: elementwise ops,
/// constants that rules look for (0, -0, 1, powers of two), movement, reductions, products.
/// With `with_gradient`, gradients of a sum of one value by all float inputs are outputs too.
RandomProgram random_program(uint64_t seed, int nodes, bool with_gradient);

}  // namespace gradc
