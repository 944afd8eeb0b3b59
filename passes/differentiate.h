// Reverse-mode differentiation: gradient nodes become ordinary nodes.
#pragma once
#include "ir/reverse_walk.h"

namespace gradc {

/// Replaces every `gradient(y, x...)` node, in order, by dy/dx as ordinary nodes: the total
/// derivative along all paths, zeros for an x that y does not depend on. Since earlier gradients
/// are ordinary nodes by then, gradients of gradients work. Integers, booleans and stop_gradient
/// cut paths. Cotangents are added in the reverse order of the nodes that contribute them. Backward
/// nodes carry the place of their primal node and the role "gradient of NAME", NAME being the input
/// whose cotangent they make, else the op. Throws Error (ModelOrData, E0714) that lists every
/// missing derivative of the graph with its place.
Graph differentiate(const Graph& graph);

/// Throws the Error of differentiate unless the list is empty.
void check_nothing_missing(const std::vector<MissingDerivative>& missing);

/// Appends to `builder` the nodes that compute dy/dx for each of `xs` and returns these values. y
/// is a float scalar of the builder's graph. Missing derivatives are appended to `missing` and
/// count as zero. Restores the builder's origin.
std::vector<ValueId> append_gradient(GraphBuilder& builder, ValueId y, std::span<const ValueId> xs,
                                     std::vector<MissingDerivative>& missing);

}  // namespace gradc
