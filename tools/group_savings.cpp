// Walks over bodies.
#include "tools/group_savings.h"

#include <set>

#include "codegen/draft.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// Would the node's value be stored if every op had a kernel of its own, as `--unfused` has?
bool is_stored_alone(const Node& node) {
  return op_class(node.kind) != OpClass::Leaf && node.kind != OpKind::Reshape;
}

int count_ops(const Graph& body) {
  int count = 0;
  for (const Node& node : body.nodes()) count += is_stored_alone(node) ? 1 : 0;
  return count;
}

/// Adds the groups of `graph`, which runs `rounds` times; returns what they save.
int64_t add_groups(const Graph& graph, int64_t rounds, const std::string& indent,
                   std::string& text) {
  int64_t total = 0;
  for (const Node& node : graph.nodes()) {
    if (node.kind == OpKind::Scan) {
      const int64_t length = node.attrs.integer("length");
      text += fmt::format("{}%{} scan, {} rounds\n", indent, index(node.results.front()), length);
      total += add_groups(*node.attrs.get<BodyRef>("body"), rounds * length, indent + "  ", text);
    }
    if (node.kind != OpKind::Group) continue;
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const int64_t saved = saved_bytes(body);
    total += saved * rounds;
    if (saved > 0)
      text +=
          fmt::format("{}%{} {}, {} ops: {}\n", indent, index(node.results.front()),
                      node.attrs.get<std::string>("kind"), count_ops(body), readable_bytes(saved));
  }
  return total;
}

}  // namespace

int64_t saved_bytes(const Graph& body) {
  const auto bytes = [&](ValueId value) { return body.type(value).size_bytes(); };
  const auto storage = [&](ValueId value) {
    while (!body.is_input(value) && body.defining_node(value)->kind == OpKind::Reshape)
      value = body.defining_node(value)->operands[0];
    return value;
  };
  int64_t saved = 0;
  for (const Node& node : body.nodes()) {
    if (!is_stored_alone(node)) continue;
    std::set<ValueId> touched(node.results.begin(), node.results.end());
    for (const ValueId operand : node.operands) {
      const ValueId stored = storage(operand);
      if (body.is_input(stored) || is_stored_alone(*body.defining_node(stored)))
        touched.insert(stored);
    }
    for (const ValueId value : touched) saved += bytes(value);
  }
  for (size_t i = 0; i < body.inputs().size(); ++i) saved -= bytes(Graph::input_value(i));
  for (const Output& output : body.outputs()) saved -= bytes(output.value);
  return saved;
}

std::string describe_savings(const Graph& fused) {
  std::string text =
      fmt::format("# {} rows={}: bytes that each group saves\n", name(fused.mode), fused.rows);
  const int64_t total = add_groups(fused, 1, "#   ", text);
  return text + fmt::format("#   all rounds: {}\n", readable_bytes(total));
}

}  // namespace gradc
