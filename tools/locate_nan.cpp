// From the outputs back, over values that are no numbers, to a node that made them from numbers.
#include "tools/locate_nan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/ops/scan.h"
#include "runtime/execute.h"

namespace gradc {
namespace {

enum class Fault : uint8_t { Nan, Infinity };

/// Position of the first element that is no number; -1 where all are.
int64_t find_fault(const Tensor& value, Fault fault) {
  if (value.is_empty() || !is_float(value.dtype())) return -1;
  for (int64_t i = 0; i < value.size(); ++i) {
    const double element = value.at(i);
    if (fault == Fault::Nan ? std::isnan(element) : !std::isfinite(element)) return i;
  }
  return -1;
}

class Search {
 public:
  explicit Search(Fault fault) : fault_(fault) {}

  /// Of the first of `wanted` that is faulty.
  std::string run(const Graph& graph, const GraphValues& values,
                  const std::vector<ValueId>& wanted) const {
    for (const ValueId value : wanted)
      if (is_faulty(values, value))
        return describe(graph, values, first_behind(graph, values, value));
    return {};
  }

 private:
  bool is_faulty(const GraphValues& values, ValueId value) const {
    return find_fault(values[index(value)], fault_) >= 0;
  }

  /// Constants are as the model has them: what is wrong is that they were chosen.
  ValueId first_behind(const Graph& graph, const GraphValues& values, ValueId value) const {
    for (;;) {
      const Node* node = graph.defining_node(value);
      if (node == nullptr) return value;
      const auto cause =
          std::find_if(node->operands.begin(), node->operands.end(), [&](ValueId operand) {
            const Node* producer = graph.defining_node(operand);
            const bool is_constant = producer != nullptr && producer->kind == OpKind::Constant;
            const bool is_body_input = producer == nullptr && graph.mode == GraphMode::Body;
            return !is_constant && !is_body_input && is_faulty(values, operand);
          });
      if (cause == node->operands.end()) return value;
      value = *cause;
    }
  }

  std::string describe(const Graph& graph, const GraphValues& values, ValueId value) const {
    const Node* node = graph.defining_node(value);
    if (node == nullptr) return describe_input(graph, values, value);
    std::string inner;
    if (node->kind == OpKind::Group) inner = inside_group(graph, values, *node, value);
    if (node->kind == OpKind::Scan) inner = inside_scan(graph, values, *node);
    if (!inner.empty()) return inner;
    return fmt::format("first in `{}` {}{}: {}", op_info(node->kind).name,
                       to_string(graph.type(value)), place(*node), element(values, value));
  }

  static std::string place(const Node& node) {
    if (!node.origin) return {};
    const std::string role = node.origin->role.empty() ? "" : ", " + node.origin->role;
    return fmt::format(" ({}:{}:{}{})", node.origin->file, node.origin->line, node.origin->column,
                       role);
  }

  std::string element(const GraphValues& values, ValueId value) const {
    const Tensor& tensor = values[index(value)];
    const int64_t position = find_fault(tensor, fault_);
    const double found = tensor.at(position);
    return fmt::format("element {} is {}", position, std::isnan(found) ? std::abs(found) : found);
  }

  std::string describe_input(const Graph& graph, const GraphValues& values, ValueId value) const {
    const Input& input = graph.inputs()[index(value)];
    return fmt::format("{} `{}` has it before the step: {}",
                       input.kind == InputKind::Data ? "the data field" : name(input.kind),
                       input.name, element(values, value));
  }

  static std::vector<Tensor> operands_of(const GraphValues& values, const Node& node) {
    std::vector<Tensor> operands;
    for (const ValueId operand : node.operands) operands.push_back(values[index(operand)]);
    return operands;
  }

  static GraphValues interpret_body(const Graph& body, const std::vector<Tensor>& inputs) {
    GraphValues values(body.value_count());
    interpret(body, inputs, [&](ValueId id, const Tensor& value) { values[index(id)] = value; });
    return values;
  }

  static std::vector<ValueId> outputs_of(const Graph& body) {
    std::vector<ValueId> outputs;
    for (const Output& output : body.outputs()) outputs.push_back(output.value);
    return outputs;
  }

  std::string inside_group(const Graph& graph, const GraphValues& values, const Node& node,
                           ValueId result) const {
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const GraphValues inner = interpret_body(body, operands_of(values, node));
    for (size_t i = 0; i < node.results.size(); ++i)
      if (node.results[i] == result) return run(body, inner, {body.outputs()[i].value});
    CHECK(false, "{} has another producer", index(result));
    return to_string(graph.type(result));
  }

  /// Element `position` along the first axis.
  static Tensor slice(const Tensor& sequence, int64_t position) {
    std::vector<int64_t> dims = sequence.shape().dims();
    dims.erase(dims.begin());
    Tensor part(sequence.dtype(), Shape(std::move(dims)));
    if (!part.is_empty())
      std::memcpy(part.raw(), sequence.raw() + position * part.size_bytes(),
                  static_cast<size_t>(part.size_bytes()));
    return part;
  }

  std::string inside_scan(const Graph&, const GraphValues& values, const Node& node) const {
    const ops::ScanForm form = ops::scan_form(node.attrs, node.operands.size());
    const std::vector<Tensor> operands = operands_of(values, node);
    std::vector<Tensor> inputs(operands.begin(),
                               operands.begin() + static_cast<int64_t>(form.carries));
    inputs.resize(operands.size());
    for (size_t i = form.first_constant(); i < operands.size(); ++i) inputs[i] = operands[i];
    for (int64_t round = 0; round < form.length; ++round) {
      for (size_t i = form.carries; i < form.first_constant(); ++i)
        inputs[i] = slice(operands[i], form.element(round));
      const GraphValues inner = interpret_body(*form.body, inputs);
      const std::string found = run(*form.body, inner, outputs_of(*form.body));
      if (!found.empty()) return fmt::format("in round {} of {}, {}", round, form.length, found);
      for (size_t i = 0; i < form.carries; ++i)
        inputs[i] = inner[index(form.body->outputs()[i].value)];
    }
    return {};
  }

  Fault fault_;
};

}  // namespace

GraphValues run_for_values(
    const Graph& fused, std::span<const Tensor> inputs,
    const std::function<std::shared_ptr<const Program>(const Graph&)>& compile_graph) {
  GraphBuilder builder(fused.name, GraphMode::Run, fused.rows);
  std::vector<ValueId> map;
  for (size_t i = 0; i < fused.inputs().size(); ++i)
    map.push_back(builder.input(fused.inputs()[i].kind, fused.inputs()[i].name,
                                fused.type(Graph::input_value(i))));
  GraphValues values(inputs.begin(), inputs.end());
  for (const Node& node : fused.nodes()) {
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    for (const ValueId result : builder.copy_node(fused, node, std::move(operands))) {
      map.push_back(result);
      builder.output(OutputKind::Output, fmt::format("v{}", map.size() - 1), result);
      values.emplace_back(builder.type(result));
    }
  }
  const std::shared_ptr<const Program> program = compile_graph(std::move(builder).build());
  Executor(program).run(inputs, std::span(values).subspan(inputs.size()));
  return values;
}

std::string locate_nan(const Graph& fused, const GraphValues& values) {
  std::vector<ValueId> wanted;
  for (const Output& output : fused.outputs())
    if (output.kind == OutputKind::Loss || updated_input_kind(output.kind))
      wanted.push_back(output.value);
  for (const Fault fault : {Fault::Nan, Fault::Infinity})
    if (std::string found = Search(fault).run(fused, values, wanted); !found.empty()) return found;
  return {};
}

}  // namespace gradc
