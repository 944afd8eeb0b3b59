// The interpreter with an observer, and a program whose groups are all outputs.
#include "tools/graph_values.h"

#include <fmt/format.h>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "runtime/execute.h"

namespace gradc {

std::vector<Tensor> operands_of(const Node& node, const Values& values) {
  std::vector<Tensor> operands;
  for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
  return operands;
}

std::vector<Tensor> evaluate(const Graph& graph, const Node& node, const Values& values) {
  const std::vector<Tensor> operands = operands_of(node, values);
  std::vector<Type> types;
  for (ValueId result : node.results) types.push_back(graph.type(result));
  return op_def(node.kind).eval({operands, node.attrs, types});
}

Values interpreted_values(const Graph& graph, std::span<const Tensor> inputs) {
  Values values(graph.value_count());
  interpret(graph, inputs, [&](ValueId id, const Tensor& value) { values[index(id)] = value; });
  return values;
}

bool is_compiled(const Node& node) { return op_class(node.kind) == OpClass::Region; }

Graph with_all_outputs(const Graph& fused) {
  GraphBuilder builder(fused.name, GraphMode::Run, fused.rows);
  std::vector<ValueId> map;
  for (size_t i = 0; i < fused.inputs().size(); ++i)
    map.push_back(builder.input(InputKind::Data, fmt::format("input_{}", i),
                                fused.type(Graph::input_value(i)), fused.inputs()[i].limit));
  std::vector<ValueId> wanted;
  for (const Node& node : fused.nodes()) {
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    for (ValueId result : builder.copy_node(fused, node, operands)) {
      map.push_back(result);
      if (is_compiled(node)) wanted.push_back(result);
    }
  }
  for (size_t i = 0; i < wanted.size(); ++i)
    builder.output(OutputKind::Output, fmt::format("value_{}", i), wanted[i]);
  return std::move(builder).build();
}

Values compiled_values(const Graph& graph, std::span<const Tensor> inputs,
                       const CompileGraph& compile_graph) {
  const std::shared_ptr<const Program> program = compile_graph(graph);
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program->outputs) outputs.emplace_back(output.type);
  Executor(program).run(inputs, outputs);
  Values values(inputs.begin(), inputs.end());
  values.resize(graph.value_count());
  size_t next = 0;
  for (const Node& node : graph.nodes()) {
    std::vector<Tensor> others;
    if (!is_compiled(node)) others = evaluate(graph, node, values);
    for (size_t i = 0; i < node.results.size(); ++i)
      values[index(node.results[i])] = is_compiled(node) ? outputs[next++] : others[i];
  }
  return values;
}

std::string describe_node(const Graph& graph, const Node& node) {
  std::string ops;
  if (const AttrValue* body = node.attrs.find("body")) {
    for (const Node& inner : std::get<BodyRef>(*body)->nodes())
      ops += fmt::format("{}{}", ops.empty() ? " of " : ", ", op_info(inner.kind).name);
  }
  return fmt::format("%{} = {}{}: {}", index(node.results.front()), op_info(node.kind).name, ops,
                     to_string(graph.type(node.results.front()))) +
         describe_place(node);
}

std::string describe_place(const Node& node) {
  if (!node.origin) return {};
  const Origin& origin = *node.origin;
  return fmt::format(" ({}:{}:{}{}{})", origin.file, origin.line, origin.column,
                     origin.role.empty() ? "" : ", ", origin.role);
}

}  // namespace gradc
