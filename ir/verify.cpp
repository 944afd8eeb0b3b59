// Checks the invariants of a graph and shows the surroundings of the first fault.
#include "ir/verify.h"

#include <map>
#include <set>

#include "ir/op.h"
#include "ir/ops/region.h"
#include "ir/ops/scan.h"
#include "ir/text.h"

namespace gradc {
namespace {

/// A broken invariant, and the node where it shows (-1: inputs or outputs).
struct Fault {
  std::string_view invariant;
  std::string message;
  int64_t node = -1;
};
using MaybeFault = std::optional<Fault>;

/// V1, V2, V3, and that the results are the next values in order.
MaybeFault find_structure_fault(const Graph& graph) {
  size_t defined = graph.inputs().size();
  if (defined > graph.value_count()) return Fault{"V1", "more inputs than values"};
  for (size_t position = 0; position < graph.nodes().size(); ++position) {
    const Node& node = graph.nodes()[position];
    const auto at = static_cast<int64_t>(position);
    for (ValueId operand : node.operands)
      if (index(operand) >= defined)
        return Fault{"V2", fmt::format("%{} is read before it is defined", index(operand)), at};
    for (ValueId result : node.results) {
      if (index(result) != defined || defined >= graph.value_count())
        return Fault{"V1", fmt::format("%{} is not the next value", index(result)), at};
      if (graph.producer(result) != at)
        return Fault{"V1", fmt::format("%{} names another producer", index(result)), at};
      ++defined;
    }
    std::string form = find_form_fault(node.kind, node.operands.size(), node.attrs);
    if (!form.empty()) return Fault{"V3", std::move(form), at};
  }
  if (defined != graph.value_count()) return Fault{"V1", "values without a producer"};
  return std::nullopt;
}

MaybeFault find_fault(const Graph& graph);

/// V7 and the body's own invariants.
MaybeFault find_region_fault(const Node& node, std::span<const Type> operands, int64_t at) {
  const Graph* body = node.attrs.get<BodyRef>("body").get();
  std::string message = node.kind == OpKind::Scan ? ops::find_scan_fault(node.attrs, operands)
                                                  : ops::find_body_fault(body, operands);
  if (!message.empty()) return Fault{"V7", std::move(message), at};
  const MaybeFault inner = find_fault(*body);
  if (!inner) return std::nullopt;
  return Fault{inner->invariant, "in the body: " + inner->message, at};
}

/// V4 and V7.
MaybeFault find_type_fault(const Graph& graph, const Node& node, int64_t at) {
  std::vector<Type> operands;
  for (ValueId operand : node.operands) operands.push_back(graph.type(operand));
  std::vector<Type> types;
  try {
    if (op_class(node.kind) == OpClass::Region)
      if (MaybeFault fault = find_region_fault(node, operands, at)) return fault;
    types = infer_types(node.kind, {operands, node.attrs});
  } catch (const Error& error) {
    return Fault{"V4", error.what(), at};
  }
  const bool is_region = op_class(node.kind) == OpClass::Region;
  if (types.size() != node.results.size())
    return Fault{is_region ? "V7" : "V4",
                 fmt::format("{} results where {} are inferred", node.results.size(), types.size()),
                 at};
  for (size_t i = 0; i < types.size(); ++i)
    if (graph.type(node.results[i]) != types[i])
      return Fault{is_region ? "V7" : "V4",
                   fmt::format("%{} is {}, inferred is {}", index(node.results[i]),
                               to_string(graph.type(node.results[i])), to_string(types[i])),
                   at};
  return std::nullopt;
}

/// V5.
MaybeFault find_name_fault(const Graph& graph) {
  std::set<std::pair<InputKind, std::string_view>> inputs;
  for (const Input& input : graph.inputs())
    if (!inputs.emplace(input.kind, input.name).second)
      return Fault{"V5", fmt::format("two {} inputs \"{}\"", name(input.kind), input.name)};
  std::set<std::pair<OutputKind, std::string_view>> outputs;
  for (const Output& output : graph.outputs()) {
    if (!outputs.emplace(output.kind, output.name).second)
      return Fault{"V5", fmt::format("two {} outputs \"{}\"", name(output.kind), output.name)};
    if (index(output.value) >= graph.value_count())
      return Fault{"V5", fmt::format("output \"{}\" of %{}, which does not exist", output.name,
                                     index(output.value))};
  }
  return std::nullopt;
}

using InputTypes = std::map<std::pair<InputKind, std::string_view>, const Type*>;

/// V6 of one output.
MaybeFault find_output_fault(const Graph& graph, const InputTypes& inputs, const Output& output) {
  const Type& type = graph.type(output.value);
  const std::optional<InputKind> updated = updated_input_kind(output.kind);
  if (updated && graph.mode != GraphMode::Init) {
    const auto input = inputs.find({*updated, output.name});
    if (input == inputs.end() || *input->second != type)
      return Fault{"V6", fmt::format("no {} input \"{}\" of type {} for the output of that name",
                                     name(*updated), output.name, to_string(type))};
  }
  if (output.kind == OutputKind::Loss && (!is_float(type.dtype) || type.shape.rank() != 0))
    return Fault{"V6", fmt::format("the loss \"{}\" is {}, not a float scalar", output.name,
                                   to_string(type))};
  const bool accumulates = output.kind == OutputKind::AccumulateSum ||
                           output.kind == OutputKind::AccumulateMin ||
                           output.kind == OutputKind::AccumulateMax;
  if (accumulates && type.dtype != DType::F64)
    return Fault{"V6", fmt::format("\"{}\" accumulates {}, not f64", output.name, to_string(type))};
  return std::nullopt;
}

/// V6.
MaybeFault find_role_fault(const Graph& graph) {
  InputTypes inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    const Type& type = graph.type(Graph::input_value(i));
    inputs[{input.kind, input.name}] = &type;
    if (input.kind == InputKind::Accumulator && type.dtype != DType::F64)
      return Fault{
          "V6", fmt::format("the accumulator \"{}\" is {}, not f64", input.name, to_string(type))};
  }
  for (const Output& output : graph.outputs())
    if (MaybeFault fault = find_output_fault(graph, inputs, output)) return fault;
  return std::nullopt;
}

MaybeFault find_fault(const Graph& graph) {
  if (MaybeFault fault = find_structure_fault(graph)) return fault;
  for (size_t position = 0; position < graph.nodes().size(); ++position)
    if (MaybeFault fault =
            find_type_fault(graph, graph.nodes()[position], static_cast<int64_t>(position)))
      return fault;
  if (MaybeFault fault = find_name_fault(graph)) return fault;
  return find_role_fault(graph);
}

std::string describe(const Graph& graph, const Fault& fault, std::string_view when) {
  std::string text =
      fmt::format("invariant {} is broken in graph {} \"{}\"{}{}: {}", fault.invariant,
                  name(graph.mode), graph.name, when.empty() ? "" : " ", when, fault.message);
  if (fault.node < 0) return text;
  const auto count = static_cast<int64_t>(graph.nodes().size());
  for (int64_t i = std::max<int64_t>(0, fault.node - 5); i < std::min(count, fault.node + 6); ++i)
    text += fmt::format("\n{} {}", i == fault.node ? "-->" : "   ",
                        print_node(graph, graph.nodes()[static_cast<size_t>(i)]));
  const OriginRef& origin = graph.nodes()[static_cast<size_t>(fault.node)].origin;
  if (origin != nullptr)
    text += fmt::format("\nfrom {}:{}:{}{}{}", origin->file, origin->line, origin->column,
                        origin->role.empty() ? "" : ", ", origin->role);
  return text;
}

}  // namespace

void verify(const Graph& graph, std::string_view when) {
  const MaybeFault fault = find_fault(graph);
  if (fault) throw InternalError(describe(graph, *fault, when));
}

}  // namespace gradc
