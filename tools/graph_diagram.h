// Graphs of any stage as pictures and as JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "ir/graph.h"
#include "tools/diagram.h"

namespace gradc {

/// A box for each input, node and output.
std::vector<DiagramNode> graph_nodes(const Graph& graph);

/// name, mode, rows, inputs, nodes (op, operands, results, attributes, origin), outputs; values by
/// their number.
nlohmann::ordered_json graph_as_json(const Graph& graph);

}  // namespace gradc
