// From one fusion group of kind "matmul" to a step for the matrix product library.
#pragma once
#include <optional>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// The product that `body` computes. lhs, rhs and bias are positions of the body's inputs, out is a
/// position of its outputs. Nothing where the body is no such product.
std::optional<MatmulStep> lower_matmul(const Graph& body);

}  // namespace gradc
