// A graph as Graphviz text.
#pragma once
#include <string>

#include "ir/graph.h"

namespace gradc {

/// One digraph; a box a node with its op and result types, an oval an input or output.
std::string graph_as_dot(const Graph& graph);

}  // namespace gradc
