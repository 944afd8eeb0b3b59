// Runs every group alone on the interpreter's operands.
#include "tools/verify_groups.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "runtime/execute.h"

namespace gradc {
namespace {

/// 0 for integers and bools.
double unit_of_last_place(DType dtype) {
  switch (dtype) {
    case DType::BF16:
      return 0x1p-8;
    case DType::F16:
      return 0x1p-11;
    case DType::F32:
      return 0x1p-24;
    case DType::F64:
      return 0x1p-53;
    default:
      return 0;
  }
}

double largest_magnitude(const Tensor& tensor) {
  double largest = 0;
  for (int64_t i = 0; i < tensor.size(); ++i)
    if (std::isfinite(tensor.at(i))) largest = std::max(largest, std::abs(tensor.at(i)));
  return largest;
}

/// The node alone: its operands become inputs, its results outputs.
Graph isolate(const Graph& graph, const Node& node) {
  GraphBuilder builder("isolated", GraphMode::Run, graph.rows);
  std::vector<ValueId> operands;
  for (size_t i = 0; i < node.operands.size(); ++i)
    operands.push_back(
        builder.input(InputKind::Data, fmt::format("operand_{}", i), graph.type(node.operands[i])));
  builder.set_origin(node.origin);
  const std::vector<ValueId> results = builder.add_node(node.kind, operands, node.attrs);
  for (size_t i = 0; i < results.size(); ++i)
    builder.output(OutputKind::Output, fmt::format("result_{}", i), results[i]);
  return std::move(builder).build();
}

std::vector<Tensor> run_alone(const Program& program, std::span<const Tensor> inputs,
                              Executor& executor) {
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program.outputs) outputs.emplace_back(output.type);
  executor.run(inputs, outputs);
  return outputs;
}

}  // namespace

double coarsest_unit(const Graph& graph) {
  double unit = 0;
  for (uint32_t id = 0; id < graph.value_count(); ++id)
    unit = std::max(unit, unit_of_last_place(graph.type(static_cast<ValueId>(id)).dtype));
  for (const Node& node : graph.nodes())
    for (const auto& [name, value] : node.attrs.entries())
      if (const BodyRef* body = std::get_if<BodyRef>(&value))
        unit = std::max(unit, coarsest_unit(**body));
  return unit;
}

std::string compare_tensors(const Tensor& value, const Tensor& reference, double unit) {
  if (value.type() != reference.type())
    return fmt::format("{} against {}", to_string(value.type()), to_string(reference.type()));
  const double allowed = is_float(value.dtype()) ? 0x1p12 * unit * largest_magnitude(reference) : 0;
  for (int64_t i = 0; i < value.size(); ++i) {
    const double a = value.at(i);
    const double b = reference.at(i);
    const bool agree = (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= allowed;
    if (!agree)
      return fmt::format(
          "element {} is {:.9g}, the interpreter has {:.9g} (allowed difference {:.2g})", i, a, b,
          allowed);
  }
  return {};
}

std::string describe_node(const Graph& graph, const Node& node) {
  std::string ops;
  if (const AttrValue* body = node.attrs.find("body")) {
    for (const Node& inner : std::get<BodyRef>(*body)->nodes())
      ops += fmt::format("{}{}", ops.empty() ? " of " : ", ", op_info(inner.kind).name);
  }
  std::string text =
      fmt::format("%{} = {}{}: {}", index(node.results.front()), op_info(node.kind).name, ops,
                  to_string(graph.type(node.results.front())));
  if (node.origin)
    text +=
        fmt::format(" ({}:{}:{}{}{})", node.origin->file, node.origin->line, node.origin->column,
                    node.origin->role.empty() ? "" : ", ", node.origin->role);
  return text;
}

std::vector<Disagreement> verify_groups(const Graph& fused, std::span<const Tensor> inputs,
                                        const CompileGraph& compile_graph, int64_t& checked) {
  std::vector<Tensor> values(fused.value_count());
  for (size_t i = 0; i < inputs.size(); ++i) values[i] = inputs[i];
  interpret(fused, inputs, [&](ValueId id, const Tensor& value) { values[index(id)] = value; });
  std::vector<Disagreement> found;
  for (const Node& node : fused.nodes()) {
    if (op_class(node.kind) != OpClass::Region) continue;
    const Graph alone = isolate(fused, node);
    const double unit = coarsest_unit(alone);
    const auto program = compile_graph(alone);
    Executor executor(program);
    std::vector<Tensor> operands;
    for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
    const std::vector<Tensor> results = run_alone(*program, operands, executor);
    for (size_t i = 0; i < results.size(); ++i) {
      ++checked;
      const std::string difference =
          compare_tensors(results[i], values[index(node.results[i])], unit);
      if (!difference.empty()) found.push_back({describe_node(fused, node), difference});
    }
  }
  return found;
}

}  // namespace gradc
