// Cuts the graph at its names; differentiates each piece by its operands, in f64.
#include "tools/chain_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "ir/interpret.h"
#include "passes/differentiate.h"

namespace gradc {
namespace {

constexpr size_t kMaxEdges = 60;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ExitCode::ModelOrData, "E0730", "explain follows single numbers: " + why);
}

double step_at(double value) { return 6e-6 * std::max(1.0, std::abs(value)); }

class ChainRuleFinder {
 public:
  ChainRuleFinder(const Graph& graph, std::span<const Tensor> inputs) : graph_(widen(graph)) {
    for (const Tensor& input : inputs) inputs_.push_back(widen(input));
    values_.resize(graph_.value_count());
    for (size_t i = 0; i < inputs_.size(); ++i) values_[i] = inputs_[i];
    interpret(graph_, inputs_,
              [&](ValueId value, const Tensor& tensor) { values_[index(value)] = tensor; });
    name_values();
    mark_trained();
  }

  ChainRule find() {
    const ValueId loss = loss_value();
    collect(loss);
    for (const auto& [value, operands] : operands_) {
      position_[value] = rule_.nodes.size();
      rule_.nodes.push_back(node_of(value));
    }
    for (auto node = operands_.rbegin(); node != operands_.rend(); ++node)
      if (!node->second.empty()) add_edges(node->first, node->second);
    rule_.nodes.back().derivative = 1;
    for (const ChainEdge& edge : rule_.edges)
      rule_.nodes[edge.operand].derivative += edge.derivative * rule_.nodes[edge.node].derivative;
    for (const auto& [value, position] : position_)
      if (rule_.nodes[position].is_parameter)
        rule_.nodes[position].difference = whole_difference(value, loss);
    return std::move(rule_);
  }

 private:
  void name_values() {
    for (size_t i = 0; i < graph_.inputs().size(); ++i)
      names_[Graph::input_value(i)] = graph_.inputs()[i].name;
    for (const OutputKind kind : {OutputKind::Output, OutputKind::Loss})
      for (const Output& output : graph_.outputs())
        if (output.kind == kind) names_.emplace(output.value, output.name);
  }

  /// What depends on a parameter.
  void mark_trained() {
    is_trained_.assign(graph_.value_count(), false);
    for (size_t i = 0; i < graph_.inputs().size(); ++i)
      is_trained_[i] = graph_.inputs()[i].kind == InputKind::Parameter;
    for (const Node& node : graph_.nodes())
      for (const ValueId operand : node.operands)
        if (is_trained_[index(operand)])
          for (const ValueId result : node.results) is_trained_[index(result)] = true;
  }

  ValueId loss_value() const {
    for (const Output& output : graph_.outputs())
      if (output.kind == OutputKind::Loss) {
        if (is_trained_[index(output.value)]) return output.value;
        refuse(fmt::format("`{}` depends on no parameter", output.name));
      }
    refuse("the model has no loss");
  }

  /// The named values that a named one is computed from, back to the parameters.
  void collect(ValueId value) {
    if (operands_.contains(value)) return;
    const Type& type = graph_.type(value);
    if (!is_float(type.dtype) || type.shape.element_count() != 1)
      refuse(fmt::format("`{}` is {}", names_.at(value), to_string(type)));
    std::vector<ValueId> found;
    std::set<ValueId> seen;
    std::vector<ValueId> open = {value};
    while (!open.empty()) {
      const ValueId next = open.back();
      open.pop_back();
      if (!is_trained_[index(next)] || !seen.insert(next).second) continue;
      if (next != value && names_.contains(next)) {
        found.push_back(next);
      } else if (const Node* node = graph_.defining_node(next)) {
        open.insert(open.end(), node->operands.rbegin(), node->operands.rend());
      }
    }
    edge_count_ += found.size();
    if (edge_count_ > kMaxEdges) refuse(fmt::format("there are more than {} edges", kMaxEdges));
    operands_[value] = found;
    for (const ValueId operand : found) collect(operand);
  }

  ChainNode node_of(ValueId value) const {
    ChainNode node;
    node.name = names_.at(value);
    node.value = values_[index(value)].at(0);
    node.is_parameter = graph_.is_input(value);
    if (const Node* maker = graph_.defining_node(value)) node.origin = maker->origin;
    return node;
  }

  /// The graph that computes `value` from `operands` alone, everything untrained being constant;
  /// its outputs are the value and then its derivatives.
  Graph piece(ValueId value, const std::vector<ValueId>& operands) const {
    GraphBuilder builder("piece", GraphMode::Body);
    std::map<ValueId, ValueId> copies;
    std::vector<ValueId> xs;
    for (const ValueId operand : operands) {
      xs.push_back(builder.input(InputKind::Operand, names_.at(operand), graph_.type(operand)));
      copies[operand] = xs.back();
    }
    const std::set<ValueId> needed = between(value, operands);
    for (const Node& node : graph_.nodes()) {
      const bool is_needed = std::ranges::any_of(
          node.results, [&](ValueId result) { return needed.contains(result); });
      if (!is_needed) continue;
      std::vector<ValueId> copied;
      for (const ValueId operand : node.operands) {
        if (!copies.contains(operand)) copies[operand] = builder.constant(values_[index(operand)]);
        copied.push_back(copies[operand]);
      }
      const std::vector<ValueId> results = builder.add_node(node.kind, copied, node.attrs);
      for (size_t i = 0; i < results.size(); ++i) copies[node.results[i]] = results[i];
    }
    const ValueId y = builder.reshape(copies.at(value), Shape());
    std::vector<MissingDerivative> missing;
    const std::vector<ValueId> derivatives = append_gradient(builder, y, xs, missing);
    check_nothing_missing(missing);
    builder.output(OutputKind::Output, "y", y);
    for (size_t i = 0; i < derivatives.size(); ++i)
      builder.output(OutputKind::Gradient, std::to_string(i), derivatives[i]);
    return std::move(builder).build();
  }

  std::set<ValueId> between(ValueId value, const std::vector<ValueId>& operands) const {
    std::set<ValueId> needed;
    std::vector<ValueId> open = {value};
    while (!open.empty()) {
      const ValueId next = open.back();
      open.pop_back();
      const bool is_operand = std::ranges::find(operands, next) != operands.end();
      if (is_operand || !is_trained_[index(next)] || !needed.insert(next).second) continue;
      const Node* node = graph_.defining_node(next);
      open.insert(open.end(), node->operands.begin(), node->operands.end());
    }
    return needed;
  }

  void add_edges(ValueId value, const std::vector<ValueId>& operands) {
    const Graph graph = piece(value, operands);
    std::vector<Tensor> at;
    for (const ValueId operand : operands) at.push_back(values_[index(operand)]);
    const std::vector<Tensor> results = interpret(graph, at);
    for (size_t i = 0; i < operands.size(); ++i) {
      ChainEdge edge;
      edge.node = position_.at(value);
      edge.operand = position_.at(operands[i]);
      edge.derivative = results[i + 1].at(0);
      edge.difference = difference(graph, at, i, 0);
      rule_.edges.push_back(edge);
    }
  }

  /// (y(x + h) - y(x - h)) / 2h of one output by one input of one element.
  static double difference(const Graph& graph, std::vector<Tensor> inputs, size_t input,
                           size_t output) {
    const double value = inputs[input].at(0), step = step_at(value);
    const auto at = [&](double moved) {
      Tensor changed(inputs[input].dtype(), inputs[input].shape());
      changed.set(0, moved);
      inputs[input] = changed;
      return interpret(graph, inputs)[output].at(0);
    };
    const double above = at(value + step), below = at(value - step);
    return (above - below) / (2 * step);
  }

  double whole_difference(ValueId parameter, ValueId loss) const {
    size_t output = 0;
    while (graph_.outputs()[output].value != loss) ++output;
    return difference(graph_, inputs_, index(parameter), output);
  }

  Graph graph_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> values_;
  std::map<ValueId, std::string> names_;
  std::vector<bool> is_trained_;
  std::map<ValueId, std::vector<ValueId>> operands_;
  std::map<ValueId, size_t> position_;
  size_t edge_count_ = 0;
  ChainRule rule_;
};

}  // namespace

ChainRule find_chain_rule(const Graph& graph, std::span<const Tensor> inputs) {
  return ChainRuleFinder(graph, inputs).find();
}

std::vector<std::vector<size_t>> chain_paths(const ChainRule& rule, size_t node, size_t limit) {
  std::vector<std::vector<size_t>> paths;
  std::vector<std::vector<size_t>> open = {{rule.nodes.size() - 1}};
  while (!open.empty() && paths.size() < limit) {
    const std::vector<size_t> path = open.back();
    open.pop_back();
    if (path.back() == node) {
      paths.push_back(path);
      continue;
    }
    // In reverse, so that the first edge is followed first.
    for (auto edge = rule.edges.rbegin(); edge != rule.edges.rend(); ++edge) {
      if (edge->node != path.back() || edge->operand < node) continue;
      open.push_back(path);
      open.back().push_back(edge->operand);
    }
  }
  return paths;
}

}  // namespace gradc
