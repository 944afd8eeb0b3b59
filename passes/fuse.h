// Fusion: which ops are computed by one kernel.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// The graph as groups: its nodes are only Group (attrs kind "loop", "matmul", "conv" or "ordered",
/// body, reason), Constant, Scan (with the bodies it has), and Reshape, which is a view and needs
/// no code. Every group has a code generator: analyze_group accepts the body of a loop,
/// match_matmul and match_convolution those of library calls. Cheap values (movement, conversions,
/// iota, uniform constants) are copied into each group that reads them instead of being stored.
/// Groups grow along the edges of the graph as long as the estimate says that it pays. Nodes no
/// output depends on disappear; groups made before
/// stay.
Graph fuse(const Graph& graph);

/// The same stage without fusion: every op is a group of its own, computed by the same kinds of
/// kernels, so that the results are the same bits.
Graph fuse_nothing(const Graph& graph);

/// A fused graph with what stands in for a group that is not formed: each op that a group computes
/// in a group of its own, with what is inlined into it. The same bits, except of convolutions that
/// were computed in a loop with other ops. `origins` takes the position
/// in `graph` of the node that each node of the result comes from, if it is not null.
Graph split_groups(const Graph& graph, std::vector<int32_t>* origins = nullptr);

}  // namespace gradc
