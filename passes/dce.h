// Dead code elimination.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// The graph without the nodes that no output depends on. Inputs stay: they are the interface.
Graph dce(const Graph& graph);

}  // namespace gradc
