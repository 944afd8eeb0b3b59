// Writes boxes and arrows.
#include "tools/graph_dot.h"

#include <fmt/format.h>

#include "ir/op.h"

namespace gradc {
namespace {

std::string dot_text(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string graph_as_dot(const Graph& graph) {
  std::string text = fmt::format("digraph {} {{\n  node [shape=box, fontname=\"monospace\"];\n",
                                 dot_text(fmt::format("{}_{}", name(graph.mode), graph.rows)));
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    text += fmt::format(
        "  v{} [shape=oval, label={}];\n", i,
        dot_text(fmt::format("{} {}: {}", name(graph.inputs()[i].kind), graph.inputs()[i].name,
                             to_string(graph.type(Graph::input_value(i))))));
  for (const Node& node : graph.nodes()) {
    const uint32_t id = index(node.results.front());
    text += fmt::format("  v{} [label={}];\n", id,
                        dot_text(fmt::format("{}: {}", op_info(node.kind).name,
                                             to_string(graph.type(node.results.front())))));
    for (ValueId operand : node.operands) {
      const Node* maker = graph.defining_node(operand);
      text += fmt::format("  v{} -> v{};\n",
                          index(maker != nullptr ? maker->results.front() : operand), id);
    }
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const Output& output = graph.outputs()[i];
    const Node* maker = graph.defining_node(output.value);
    text += fmt::format("  o{} [shape=oval, label={}];\n  v{} -> o{};\n", i,
                        dot_text(fmt::format("{} {}", name(output.kind), output.name)),
                        index(maker != nullptr ? maker->results.front() : output.value), i);
  }
  return text + "}\n";
}

}  // namespace gradc
