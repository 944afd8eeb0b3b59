// Records nodes with inferred types; cuts graphs out.
#include "frontend/draft.h"

#include <algorithm>

#include "ir/builder.h"

namespace gradc {

namespace {

uint8_t dependence(InputKind kind) {
  switch (kind) {
    case InputKind::Data:
      return kOnData;
    case InputKind::Parameter:
    case InputKind::Slot:
    case InputKind::State:
      return kOnTrained;
    case InputKind::Step:
      return kOnStep;
    case InputKind::Seed:
    case InputKind::Accumulator:
    case InputKind::Operand:
      return kOnNothing;
  }
  return kOnNothing;
}

// The order in which a graph declares its inputs.
constexpr InputKind kInputOrder[] = {InputKind::Data,       InputKind::Parameter, InputKind::State,
                                     InputKind::Slot,       InputKind::Step,      InputKind::Seed,
                                     InputKind::Accumulator};

TensorId replaced(TensorId id, const Replacements& replace) {
  for (auto found = replace.find(id); found != replace.end(); found = replace.find(id))
    id = found->second;
  return id;
}

}  // namespace

TensorId DraftGraph::input(InputKind kind, std::string name, Type type) {
  const TensorId id = static_cast<TensorId>(tensors_.size());
  tensors_.push_back({std::move(type), -1, static_cast<int32_t>(inputs_.size()), dependence(kind),
                      kind == InputKind::Data ? 0 : -1});
  inputs_.push_back({kind, std::move(name), 0, id});
  return id;
}

std::vector<TensorId> DraftGraph::add_node(OpKind kind, std::vector<TensorId> operands,
                                           Attrs attrs) {
  if (nodes_.size() >= kMaxNodes)
    throw Error(ExitCode::ModelOrData, "E0801",
                fmt::format("the model makes more than {} nodes", kMaxNodes));
  std::vector<Type> types;
  uint8_t depends_on = op_class(kind) == OpClass::Random ? kOnRandom : kOnNothing;
  for (const TensorId operand : operands) {
    types.push_back(type(operand));
    depends_on |= this->depends_on(operand);
  }
  std::vector<Type> result_types = infer_types(kind, {types, attrs});
  std::vector<TensorId> results;
  for (Type& result : result_types) {
    if (result.shape.rank() > kMaxRank)
      throw Error(
          ExitCode::ModelOrData, "E0409",
          fmt::format("a tensor of rank {}; the highest is {}", result.shape.rank(), kMaxRank));
    result.shape.element_count();
    const int64_t row_axis = result_row_axis(kind, operands, attrs, result, results.size());
    results.push_back(static_cast<TensorId>(tensors_.size()));
    tensors_.push_back(
        {std::move(result), static_cast<int32_t>(nodes_.size()), -1, depends_on, row_axis});
  }
  nodes_.push_back({kind, std::move(operands), results, std::move(attrs), origin_, false});
  return results;
}

TensorId DraftGraph::add(OpKind kind, std::vector<TensorId> operands, Attrs attrs) {
  const std::vector<TensorId> results = add_node(kind, std::move(operands), std::move(attrs));
  CHECK(results.size() == 1, "{} has {} results", op_info(kind).name, results.size());
  return results[0];
}

const DraftNode* DraftGraph::node(TensorId id) const {
  const int32_t node = tensors_[index(id)].node;
  return node < 0 ? nullptr : &nodes_[static_cast<size_t>(node)];
}

DraftNode& DraftGraph::mutable_node(TensorId id) {
  return nodes_[static_cast<size_t>(tensors_[index(id)].node)];
}

DraftInput* DraftGraph::find_input(TensorId id) {
  const int32_t input = tensors_[index(id)].input;
  return input < 0 ? nullptr : &inputs_[static_cast<size_t>(input)];
}

namespace {

bool replaces(OutputKind output, InputKind input) {
  return (output == OutputKind::Parameter && input == InputKind::Parameter) ||
         (output == OutputKind::State && input == InputKind::State) ||
         (output == OutputKind::Slot && input == InputKind::Slot) ||
         (output == OutputKind::Step && input == InputKind::Step);
}

}  // namespace

std::vector<bool> DraftGraph::reached(std::span<const DraftOutput> outputs,
                                      const Replacements& replace) const {
  std::vector<bool> is_reached(tensors_.size(), false);
  for (const DraftOutput& output : outputs)
    is_reached[index(replaced(output.value, replace))] = true;
  for (size_t position = nodes_.size(); position-- > 0;) {
    const DraftNode& node = nodes_[position];
    bool is_needed = false;
    for (const TensorId result : node.results) is_needed |= is_reached[index(result)];
    if (!is_needed) continue;
    for (const TensorId operand : node.operands)
      is_reached[index(replaced(operand, replace))] = true;
  }
  return is_reached;
}

bool DraftGraph::needs_step(TensorId value, const Replacements& replace) const {
  const DraftOutput output{OutputKind::Result, "", value};
  const std::vector<bool> is_reached = reached({&output, 1}, replace);
  return std::ranges::any_of(inputs_, [&](const DraftInput& input) {
    return is_reached[index(input.id)] &&
           (input.kind == InputKind::Data || input.kind == InputKind::Step);
  });
}

Graph DraftGraph::extract(std::string name, GraphMode mode, int64_t rows,
                          std::span<const DraftOutput> outputs, const Replacements& replace) const {
  std::vector<bool> is_reached = reached(outputs, replace);
  // What a step replaces comes in also where nothing reads the old value.
  for (const DraftInput& input : inputs_)
    for (const DraftOutput& output : outputs)
      if (mode != GraphMode::Init && output.name == input.name && replaces(output.kind, input.kind))
        is_reached[index(input.id)] = true;
  GraphBuilder builder(std::move(name), mode, rows);
  std::vector<ValueId> values(tensors_.size());
  for (const InputKind kind : kInputOrder)
    for (const DraftInput& input : inputs_)
      if (input.kind == kind && is_reached[index(input.id)])
        values[index(input.id)] = builder.input(kind, input.name, type(input.id), input.limit);
  const auto value_of = [&](TensorId id) { return values[index(replaced(id, replace))]; };
  for (const DraftNode& node : nodes_) {
    bool is_needed = false;
    for (const TensorId result : node.results) is_needed |= is_reached[index(result)];
    if (!is_needed) continue;
    std::vector<ValueId> operands;
    for (const TensorId operand : node.operands) operands.push_back(value_of(operand));
    builder.set_origin(node.origin);
    const std::vector<ValueId> results = builder.add_node(node.kind, operands, node.attrs);
    for (size_t i = 0; i < results.size(); ++i) values[index(node.results[i])] = results[i];
  }
  for (const DraftOutput& output : outputs)
    builder.output(output.kind, output.name, value_of(output.value));
  return std::move(builder).build();
}

}  // namespace gradc
