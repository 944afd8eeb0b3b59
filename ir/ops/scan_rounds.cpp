// Builds the derivative of one round and chooses what is stored between the scans.
#include "ir/ops/scan_rounds.h"

#include <algorithm>

#include "ir/op_cost.h"
#include "ir/reverse_walk.h"

namespace gradc::ops {
namespace {

/// Copies the body behind inputs of its own and of the seeds.
DerivativeRound copy_body(const ScanForm& form, const std::vector<bool>& reaches_carry,
                          const std::vector<bool>& reaches_collected) {
  DerivativeRound round;
  const Graph& body = *form.body;
  std::vector<ValueId> map(body.value_count());
  const auto input = [&](const Type& type) {
    return round.builder.input(InputKind::Operand,
                               fmt::format("a{}", round.builder.graph().inputs().size()), type);
  };
  for (size_t i = 0; i < body.inputs().size(); ++i)
    map[i] = input(body.type(Graph::input_value(i)));
  for (size_t i = 0; i < body.outputs().size(); ++i) {
    const bool is_carry = i < form.carries;
    const bool reaches = is_carry ? reaches_carry[i] : reaches_collected[i - form.carries];
    auto& seeds = is_carry ? round.carry_seeds : round.result_seeds;
    seeds.emplace_back();
    if (reaches) seeds.back() = input(body.type(body.outputs()[i].value));
  }
  for (const Node& node : body.nodes()) {
    round.builder.set_origin(node.origin);
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    const std::vector<ValueId> results =
        round.builder.add_node(node.kind, std::move(operands), node.attrs);
    for (size_t k = 0; k < results.size(); ++k) map[index(node.results[k])] = results[k];
  }
  round.body_nodes = body.nodes().size();
  for (const Output& output : body.outputs()) round.outputs.push_back(map[index(output.value)]);
  return round;
}

void append_backward(DerivativeRound& round, const ScanForm& form, const std::vector<bool>& wants) {
  std::vector<Cotangent> seeds;
  for (size_t i = 0; i < round.outputs.size(); ++i) {
    const bool is_carry = i < form.carries;
    const auto& seed = is_carry ? round.carry_seeds[i] : round.result_seeds[i - form.carries];
    if (seed) seeds.push_back({round.outputs[i], *seed});
  }
  std::vector<ValueId> xs;
  std::vector<size_t> inputs;
  for (size_t i = 0; i < form.body->inputs().size(); ++i) {
    if (i >= form.carries && !wants[i]) continue;
    xs.push_back(Graph::input_value(i));
    inputs.push_back(i);
  }
  std::vector<MissingDerivative> missing;
  const auto cotangents = append_cotangents(round.builder, seeds, xs, missing);
  if (!missing.empty())
    throw Error(ExitCode::ModelOrData, "E0714", fmt::format("in its body, {}", missing[0].what));
  round.cotangents.resize(form.body->inputs().size());
  for (size_t k = 0; k < xs.size(); ++k) round.cotangents[inputs[k]] = cotangents[k];
}

void mark_values(DerivativeRound& round, const ScanForm& form) {
  const Graph& graph = round.builder.graph();
  round.is_backward.assign(graph.value_count(), false);
  round.is_invariant.assign(graph.value_count(), false);
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    round.is_backward[i] = i >= form.body->inputs().size();
    round.is_invariant[i] = i >= form.first_constant() && !round.is_backward[i];
  }
  for (const Node& node : graph.nodes()) {
    const auto all = [&](const std::vector<bool>& property) {
      return std::all_of(node.operands.begin(), node.operands.end(),
                         [&](ValueId operand) { return property[index(operand)]; });
    };
    const bool is_backward =
        std::any_of(node.operands.begin(), node.operands.end(),
                    [&](ValueId operand) { return round.is_backward[index(operand)]; });
    for (ValueId result : node.results) {
      round.is_backward[index(result)] = is_backward;
      round.is_invariant[index(result)] = all(round.is_invariant);
    }
  }
}

bool is_view(OpKind kind) {
  return kind == OpKind::Broadcast || kind == OpKind::Reshape || kind == OpKind::Transpose;
}

/// Is computing it again about as fast as loading it?
bool is_cheap(OpKind kind) {
  constexpr double kCheapNs = 0.03;
  if (op_class(kind) == OpClass::Elementwise) return op_cost_ns(kind, DType::F32) <= kCheapNs;
  return kind == OpKind::Slice || kind == OpKind::Reverse || is_view(kind);
}

}  // namespace

DerivativeRound make_derivative_round(const ScanForm& form, std::vector<bool>& reaches_carry,
                                      const std::vector<bool>& reaches_collected,
                                      const std::vector<bool>& wants) {
  while (true) {
    DerivativeRound round = copy_body(form, reaches_carry, reaches_collected);
    append_backward(round, form, wants);
    bool has_grown = false;
    for (size_t i = 0; i < form.carries; ++i) {
      if (reaches_carry[i] || !round.cotangents[i]) continue;
      reaches_carry[i] = has_grown = true;
    }
    if (has_grown) continue;
    mark_values(round, form);
    return round;
  }
}

Residuals choose_residuals(const DerivativeRound& round, const ScanForm& form,
                           const std::vector<ValueId>& targets, const std::set<ValueId>& kept) {
  const Graph& graph = round.builder.graph();
  Residuals residuals;
  residuals.stored = kept;
  residuals.needed.insert(targets.begin(), targets.end());
  const auto is_given = [&](ValueId value) {
    const bool is_sequence_or_constant = graph.is_input(value) && index(value) >= form.carries;
    return is_sequence_or_constant || residuals.stored.count(value) != 0;
  };
  // Backwards: what backward nodes read; views read what they are views of, invariants are computed
  // again.
  const auto is_expanded = [&](ValueId value) {
    if (is_given(value) || graph.is_input(value)) return false;
    return round.is_backward[index(value)] || round.is_invariant[index(value)] ||
           is_view(graph.defining_node(value)->kind);
  };
  for (size_t v = graph.value_count(); v-- > 0;) {
    const auto value = static_cast<ValueId>(v);
    if (residuals.needed.count(value) == 0 || !is_expanded(value)) continue;
    const Node& node = *graph.defining_node(value);
    residuals.needed.insert(node.operands.begin(), node.operands.end());
  }
  // Forwards: cheap ones whose operands are at hand are computed again, the others stored.
  std::vector<bool> at_hand(graph.value_count(), false);
  for (size_t v = 0; v < graph.value_count(); ++v) {
    const auto value = static_cast<ValueId>(v);
    if (round.is_backward[v]) continue;
    const Node* node = graph.defining_node(value);
    at_hand[v] = is_given(value) || round.is_invariant[v] ||
                 (node != nullptr && is_cheap(node->kind) &&
                  std::all_of(node->operands.begin(), node->operands.end(),
                              [&](ValueId operand) { return at_hand[index(operand)]; }));
    if (at_hand[v] || residuals.needed.count(value) == 0) continue;
    residuals.stored.insert(value);
    at_hand[v] = true;
  }
  for (size_t v = graph.value_count(); v-- > 0;) {
    const auto value = static_cast<ValueId>(v);
    const bool is_computed = residuals.needed.count(value) != 0 && !graph.is_input(value) &&
                             residuals.stored.count(value) == 0;
    if (!is_computed) continue;
    const Node& node = *graph.defining_node(value);
    residuals.needed.insert(node.operands.begin(), node.operands.end());
  }
  return residuals;
}

}  // namespace gradc::ops
