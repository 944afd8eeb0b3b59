// Canonicalization: one form for equal things, less work for the rest.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// The graph with the rules of canonicalize_rules.h applied to every node, operands first, until
/// none applies. Every rule is exact: each element keeps its bits (of a NaN: that it is one), and
/// reductions and contractions keep their order.
Graph canonicalize(const Graph& graph);

}  // namespace gradc
