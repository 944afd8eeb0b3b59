// Evaluates node by node and frees each value after its last use; widens floats to f64.
#include "ir/interpret.h"

#include "ir/builder.h"

namespace gradc {
namespace {

DType widened(DType dtype) { return is_float(dtype) ? DType::F64 : dtype; }

Attrs widened(const Attrs& attrs) {
  Attrs wide;
  for (const auto& [name, value] : attrs.entries()) {
    if (const auto* dtype = std::get_if<DType>(&value))
      wide.set(name, widened(*dtype));
    else if (const auto* tensor = std::get_if<Tensor>(&value))
      wide.set(name, widen(*tensor));
    else if (const auto* body = std::get_if<BodyRef>(&value))
      wide.set(name, *body == nullptr ? BodyRef() : std::make_shared<const Graph>(widen(**body)));
    else
      wide.set(name, value);
  }
  return wide;
}

std::vector<Tensor> evaluate(const Graph& graph, const Node& node,
                             const std::vector<Tensor>& values) {
  std::vector<Tensor> operands;
  std::vector<Type> types;
  for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
  for (ValueId result : node.results) types.push_back(graph.type(result));
  return op_def(node.kind).eval({operands, node.attrs, types});
}

}  // namespace

std::vector<Tensor> interpret(const Graph& graph, std::span<const Tensor> inputs,
                              const std::function<void(ValueId, const Tensor&)>& observe) {
  CHECK(inputs.size() == graph.inputs().size(), "{} tensors for {} inputs", inputs.size(),
        graph.inputs().size());
  std::vector<Tensor> values(graph.value_count());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId value = Graph::input_value(i);
    CHECK(inputs[i].type() == graph.type(value), "input {} is {}, not {}", graph.inputs()[i].name,
          to_string(inputs[i].type()), to_string(graph.type(value)));
    values[i] = inputs[i];
    if (observe) observe(value, values[i]);
  }
  std::vector<int32_t> users = count_users(graph);
  for (const Node& node : graph.nodes()) {
    std::vector<Tensor> results = evaluate(graph, node, values);
    for (size_t i = 0; i < results.size(); ++i) {
      if (observe) observe(node.results[i], results[i]);
      values[index(node.results[i])] = std::move(results[i]);
    }
    for (ValueId operand : node.operands)
      if (--users[index(operand)] == 0) values[index(operand)] = {};
  }
  std::vector<Tensor> outputs;
  for (const Output& output : graph.outputs()) outputs.push_back(values[index(output.value)]);
  return outputs;
}

Tensor widen(const Tensor& tensor) {
  if (widened(tensor.dtype()) == tensor.dtype()) return tensor;
  Tensor wide(DType::F64, tensor.shape());
  for (int64_t i = 0; i < tensor.size(); ++i) wide.set(i, tensor.at(i));
  return wide;
}

Graph widen(const Graph& graph) {
  GraphBuilder builder(graph.name, graph.mode, graph.rows);
  std::vector<ValueId> map(graph.value_count());
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    const Type& type = graph.type(Graph::input_value(i));
    map[i] = builder.input(input.kind, input.name, {widened(type.dtype), type.shape}, input.limit);
  }
  for (const Node& node : graph.nodes()) {
    builder.set_origin(node.origin);
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    const bool is_random = node.kind == OpKind::Random;
    const std::vector<ValueId> results = builder.add_node(
        node.kind, std::move(operands), is_random ? node.attrs : widened(node.attrs));
    for (size_t i = 0; i < results.size(); ++i)
      map[index(node.results[i])] =
          is_random ? builder.convert(results[i], DType::F64) : results[i];
  }
  for (const Output& output : graph.outputs())
    builder.output(output.kind, output.name, map[index(output.value)]);
  return std::move(builder).build();
}

}  // namespace gradc
