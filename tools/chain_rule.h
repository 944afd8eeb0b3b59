// The chain rule on a graph of single numbers, edge by edge.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace gradc {

/// A value that the model names, on a way from a parameter to the loss.
struct ChainNode {
  std::string name;
  double value = 0;
  bool is_parameter = false;
  OriginRef origin;       // of the node that makes it; null for a parameter
  double derivative = 0;  // of the loss by it
  double difference = 0;  // for parameters: the same by central differences of the whole graph
};

/// "How `node` changes with `operand`", both positions in `nodes`.
struct ChainEdge {
  size_t node = 0;
  size_t operand = 0;
  double derivative = 0;
  double difference = 0;  // by central differences of the node alone
};

struct ChainRule {
  std::vector<ChainNode> nodes;  // in the order of the graph; the loss is the last
  std::vector<ChainEdge> edges;  // from the loss back
};

/// `graph` is a run graph with names, differentiated; `inputs` are its values. What lies between
/// names counts as part of the later one. Throws Error (ModelOrData) where there is no loss, where
/// a named value on the way is not one float, or where there are more than 60 edges.
ChainRule find_chain_rule(const Graph& graph, std::span<const Tensor> inputs);

/// Every way from the last node (the loss) to `node` as positions, at most `limit` of them.
std::vector<std::vector<size_t>> chain_paths(const ChainRule& rule, size_t node, size_t limit);

}  // namespace gradc
