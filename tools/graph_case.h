// A graph with values for its inputs: what a check fails on, cut out of a larger one, in files.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tools/graph_values.h"

namespace gradc {

struct GraphCase {
  Graph graph;
  std::vector<Tensor> inputs;
};

/// The part of `graph` that computes `wanted`, which become its outputs. Values that `is_cut` says
/// are inputs instead of being computed, with what `values` has for them. Inputs that nothing reads
/// are left out.
GraphCase extract(const Graph& graph, const Values& values, const std::vector<ValueId>& wanted,
                  const std::vector<bool>& is_cut);

/// The node alone, on what `values` has for its operands.
GraphCase isolate(const Graph& graph, const Node& node, const Values& values);

/// The ops of the only group in `group` without the group; nothing if there is none.
GraphCase without_group(const GraphCase& group);

using Differs = std::function<bool(const GraphCase&)>;

/// A smaller case that still differs: one output, as early as possible, and inputs in the place of
/// as much as possible of what leads to it. Evaluates `differs` at most a few hundred times; a case
/// that it throws an exception for does not differ.
GraphCase shrink(const GraphCase& whole, const Differs& differs);

/// Writes PATH.graph and PATH.safetensors. Throws Error (InputOutput).
void write_case(const std::string& path, const GraphCase& written);
/// The tensors of a file for the inputs of `graph`, by name. Throws Error (ModelOrData, E0901,
/// E0902) where one is missing or has another type.
std::vector<Tensor> feed_from(const std::string& path, const Graph& graph);

}  // namespace gradc
