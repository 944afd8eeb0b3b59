// The text form of graphs and its exact inverse: parse(print(m)) == print-identical m. See
// docs/ir.md.
#pragma once
#include "ir/graph.h"

namespace gradc {

std::string print(const Graph& graph);
/// Without the places in the model that nodes come from: the same for models that say the same.
std::string print_without_origins(const Graph& graph);
/// One node on a line without an end; the bodies of its attributes over several.
std::string print_node(const Graph& graph, const Node& node);
/// "graph file NAME", the settings, then every graph.
std::string print(const Module& module);

/// Parses a graph file. Throws Error (ModelOrData, E01xx..) with `file:line:column` in the message;
/// the result is verified, so bad graphs are errors of the user here.
Module parse_module(std::string_view text, const std::string& file);

/// True if the first word of the text (after blank lines and comments) is `graph`.
bool is_graph_text(std::string_view text);

}  // namespace gradc
