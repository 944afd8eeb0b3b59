// Scans of the same rounds become one.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Of scans with the same operands and direction, where the nodes of one body are the first nodes
/// of the other and the carries are the same, the first stays, with the longer body and what any of
/// them collects. So the scan that differentiation adds to get at values of the forward rounds
/// takes the place of the forward scan. Bodies come after the graph around them: their own scans
/// are still those that the bodies have in common.
Graph merge_scans(const Graph& graph);

}  // namespace gradc
