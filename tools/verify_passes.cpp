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

std::optional<Disagreement> compare_outputs(const Pass& pass, const Graph& graph,
                                            std::span<const Tensor> values,
                                            std::span<const Tensor> before) {
  const double unit = coarsest_unit(graph);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string difference = compare_tensors(values[i], before[i], unit);
    if (difference.empty()) continue;
    const Output& output = graph.outputs()[i];
    const Node* node = graph.defining_node(output.value);
    return Disagreement{
        fmt::format("pass {}: output {} {}{}", pass.name, name(output.kind), output.name,
                    node != nullptr ? ", " + describe_node(graph, *node) : std::string()),
        difference};
  }
  return std::nullopt;
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
      if (auto difference = compare_outputs(pass, graph, values, last_values))
        found = {*std::move(difference), {*last, {inputs.begin(), inputs.end()}}};
    }
    last = graph;
    last_values = values;
  };
  run_until(source, Stage::Fused, observed);
  return found;
}

}  // namespace gradc
