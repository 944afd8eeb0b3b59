// A random graph with the tensors it is tried on: what the soak test examines.
#pragma once
#include <map>

#include "ir/graph.h"

namespace gradc::testing {

struct Sample {
  Graph graph;
  std::vector<Tensor> inputs;
  uint64_t seed = 0;
};

/// A function of the seed. Graphs of mode run, and of mode train with parameters, slots and states
/// that are updated, with and without gradients; of all ops, dtypes and kinds of shapes that
/// GraphGrower knows; one of a thousand has a tensor that split_reductions cuts.
Sample random_sample(uint64_t seed);

/// Adds the nodes of the graph and its bodies, by op.
void count_ops(const Graph& graph, std::map<std::string_view, int64_t>& counts);

/// A file that parse_module reads: the graph, and a graph without inputs whose outputs are the
/// tensors. `title` becomes a comment.
std::string sample_text(const Sample& sample, const std::string& title);
/// Its inverse. Throws what parse_module throws; CHECKs that the tensors fit.
Sample parse_sample(const std::string& text, const std::string& file);

}  // namespace gradc::testing
