// From the outputs back, over values that are no numbers, to a node that made them from numbers.
#include "tools/locate_nan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "ir/ops/scan.h"

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
  std::string run(const Graph& graph, const Values& values,
                  const std::vector<ValueId>& wanted) const {
    for (const ValueId value : wanted)
      if (is_faulty(values, value))
        return describe(graph, values, first_behind(graph, values, value));
    return {};
  }

 private:
  bool is_faulty(const Values& values, ValueId value) const {
    return find_fault(values[index(value)], fault_) >= 0;
  }

  /// Constants are as the model has them: what is wrong is that they were chosen.
  ValueId first_behind(const Graph& graph, const Values& values, ValueId value) const {
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

  std::string describe(const Graph& graph, const Values& values, ValueId value) const {
    const Node* node = graph.defining_node(value);
    if (node == nullptr) return describe_input(graph, values, value);
    std::string inner;
    if (node->kind == OpKind::Group) inner = inside_group(graph, values, *node, value);
    if (node->kind == OpKind::Scan) inner = inside_scan(values, *node);
    if (!inner.empty()) return inner;
    return fmt::format("first in `{}` {}{}: {}", op_info(node->kind).name,
                       to_string(graph.type(value)), describe_place(*node), element(values, value));
  }

  std::string element(const Values& values, ValueId value) const {
    const Tensor& tensor = values[index(value)];
    const int64_t position = find_fault(tensor, fault_);
    const double found = tensor.at(position);
    return fmt::format("element {} is {}", position, std::isnan(found) ? std::abs(found) : found);
  }

  std::string describe_input(const Graph& graph, const Values& values, ValueId value) const {
    const Input& input = graph.inputs()[index(value)];
    return fmt::format("{} `{}` has it before the step: {}",
                       input.kind == InputKind::Data ? "the data field" : name(input.kind),
                       input.name, element(values, value));
  }

  static std::vector<ValueId> outputs_of(const Graph& body) {
    std::vector<ValueId> outputs;
    for (const Output& output : body.outputs()) outputs.push_back(output.value);
    return outputs;
  }

  std::string inside_group(const Graph& graph, const Values& values, const Node& node,
                           ValueId result) const {
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const Values inner = interpreted_values(body, operands_of(node, values));
    for (size_t i = 0; i < node.results.size(); ++i)
      if (node.results[i] == result) return run(body, inner, {body.outputs()[i].value});
    CHECK(false, "{} has another producer", index(result));
    return to_string(graph.type(result));
  }

  std::string inside_scan(const Values& values, const Node& node) const {
    const ops::ScanForm form = ops::scan_form(node.attrs, node.operands.size());
    const std::vector<Tensor> operands = operands_of(node, values);
    std::vector<Tensor> inputs = operands;
    for (int64_t round = 0; round < form.length; ++round) {
      ops::read_elements(form, operands, round, inputs);
      const Values inner = interpreted_values(*form.body, inputs);
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

std::string locate_nan(const Graph& fused, const Values& values) {
  std::vector<ValueId> wanted;
  for (const Output& output : fused.outputs())
    if (output.kind == OutputKind::Loss || updated_input_kind(output.kind))
      wanted.push_back(output.value);
  for (const Fault fault : {Fault::Nan, Fault::Infinity})
    if (std::string found = Search(fault).run(fused, values, wanted); !found.empty()) return found;
  return {};
}

}  // namespace gradc
