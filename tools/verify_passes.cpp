// Interprets the graph behind each pass.
#include "tools/verify_passes.h"

#include <fmt/format.h>

#include "ir/interpret.h"

namespace gradc {
namespace {

bool has_gradient_nodes(const Graph& graph) {
  for (const Node& node : graph.nodes())
    if (node.kind == OpKind::Gradient) return true;
  return false;
}

/// `difference` is of the graph behind the pass.
Disagreement describe(const Pass& pass, const Graph& graph, OutputDifference difference) {
  const Output& output = graph.outputs()[difference.output];
  const Node* node = graph.defining_node(output.value);
  return {fmt::format("pass {}: output {} {}{}", pass.name, name(output.kind), output.name,
                      node != nullptr ? ", " + describe_node(graph, *node) : std::string()),
          std::move(difference.what)};
}

}  // namespace

std::optional<Difference> verify_passes(const Graph& source, std::span<const Tensor> inputs,
                                        const PipelineOptions& options, int64_t& checked) {
  std::optional<Difference> found;
  std::optional<Graph> last;
  std::vector<Tensor> last_values;
  if (!has_gradient_nodes(source)) {
    last = source;
    last_values = interpret(source, inputs);
  }
  PipelineOptions observed = options;
  observed.verify = true;
  observed.after = [&](const Pass& pass, const Graph& graph) {
    if (found || (last && same_graph(*last, graph))) return;
    const std::vector<Tensor> values = interpret(graph, inputs);
    if (last) {
      ++checked;
      if (auto difference = compare_outputs(*last, inputs, values, last_values))
        found = {describe(pass, graph, *std::move(difference)),
                 {*last, {inputs.begin(), inputs.end()}}};
    }
    last = graph;
    last_values = values;
  };
  run_until(source, Stage::Fused, observed);
  return found;
}

}  // namespace gradc
