// Splits the body of a scan: invariants before the loop, uniform constants into it.
#include "passes/hoist.h"

#include <algorithm>
#include <optional>

#include "ir/builder.h"
#include "ir/op.h"
#include "ir/ops/scan.h"

namespace gradc {
namespace {

using ops::ScanForm;

/// Ops that cost a reader nothing; a copy of a tensor in memory would.
bool is_free_to_read(OpKind kind) {
  switch (kind) {
    case OpKind::Constant:
    case OpKind::Iota:
    case OpKind::Broadcast:
    case OpKind::Reshape:
    case OpKind::Transpose:
    case OpKind::Convert:
    case OpKind::StopGradient:
      return true;
    default:
      return false;
  }
}

/// The scalar of which `value` is a broadcast.
std::optional<Tensor> uniform_scalar(const Graph& graph, ValueId value) {
  const Node* node = graph.defining_node(value);
  while (node != nullptr && (node->kind == OpKind::Broadcast || node->kind == OpKind::Reshape))
    node = graph.defining_node(node->operands[0]);
  if (node == nullptr || node->kind != OpKind::Constant) return std::nullopt;
  const Tensor& tensor = node->attrs.get<Tensor>("value");
  return tensor.size() == 1 ? std::optional(tensor.reshaped({})) : std::nullopt;
}

/// One scan on its way into the new graph.
class Hoisting {
 public:
  Hoisting(Rewriter& rewriter, const Node& node)
      : rewriter_(rewriter),
        node_(node),
        form_(ops::scan_form(node.attrs, node.operands.size())),
        body_(*form_.body),
        is_invariant_(body_.value_count()),
        is_hoisted_(body_.value_count()),
        outside_(body_.value_count()) {}

  void run() {
    mark();
    move_out();
    const std::vector<ValueId> results = add_scan();
    for (size_t k = 0; k < results.size(); ++k) rewriter_.replace(node_.results[k], results[k]);
  }

 private:
  GraphBuilder& outer() { return rewriter_.builder(); }

  void mark() {
    for (size_t i = form_.first_constant(); i < node_.operands.size(); ++i) is_invariant_[i] = true;
    for (const Node& node : body_.nodes()) {
      const bool is_invariant =
          std::all_of(node.operands.begin(), node.operands.end(),
                      [&](ValueId operand) { return is_invariant_[index(operand)]; });
      for (ValueId result : node.results) is_invariant_[index(result)] = is_invariant;
    }
    // Hoisted: invariants that are not free, and what these are made of.
    for (size_t n = body_.nodes().size(); n-- > 0;) {
      const Node& node = body_.nodes()[n];
      const bool is_invariant = is_invariant_[index(node.results[0])];
      const bool is_wanted =
          is_invariant && (!is_free_to_read(node.kind) ||
                           std::any_of(node.results.begin(), node.results.end(),
                                       [&](ValueId result) { return is_hoisted_[index(result)]; }));
      if (!is_wanted) continue;
      for (ValueId result : node.results) is_hoisted_[index(result)] = true;
      for (ValueId operand : node.operands) is_hoisted_[index(operand)] = true;
    }
  }

  void move_out() {
    for (size_t i = form_.first_constant(); i < node_.operands.size(); ++i)
      outside_[i] = rewriter_.map(node_.operands[i]);
    for (const Node& node : body_.nodes()) {
      if (!is_invariant_[index(node.results[0])] || !is_hoisted_[index(node.results[0])]) continue;
      std::vector<ValueId> operands;
      for (ValueId operand : node.operands) operands.push_back(*outside_[index(operand)]);
      outer().set_origin(node.origin);
      const std::vector<ValueId> results =
          outer().add_node(node.kind, std::move(operands), node.attrs);
      for (size_t k = 0; k < results.size(); ++k) outside_[index(node.results[k])] = results[k];
    }
  }

  /// Is it a node outside, read as a constant of the loop?
  bool is_new_constant(ValueId value) const {
    if (body_.is_input(value) || !is_hoisted_[index(value)] || !is_invariant_[index(value)])
      return false;
    return !is_free_to_read(body_.defining_node(value)->kind);
  }

  std::vector<ValueId> add_scan() {
    GraphBuilder builder(body_.name, GraphMode::Body);
    std::vector<std::optional<ValueId>> map(body_.value_count());
    std::vector<ValueId> operands;
    const auto input = [&](ValueId value, ValueId operand) {
      map[index(value)] =
          builder.input(InputKind::Operand, fmt::format("a{}", operands.size()), body_.type(value));
      operands.push_back(operand);
    };
    std::vector<std::pair<ValueId, Tensor>> uniform;
    for (size_t i = 0; i < node_.operands.size(); ++i) {
      const ValueId operand = rewriter_.map(node_.operands[i]);
      const ValueId value = Graph::input_value(i);
      const bool is_constant = i >= form_.first_constant();
      const std::optional<Tensor> scalar =
          is_constant ? uniform_scalar(outer().graph(), operand) : std::nullopt;
      if (scalar)
        uniform.emplace_back(value, *scalar);
      else
        input(value, operand);
    }
    const std::vector<bool> is_read = find_read();
    for (size_t v = 0; v < body_.value_count(); ++v)
      if (const auto value = static_cast<ValueId>(v); is_read[v] && is_new_constant(value))
        input(value, *outside_[v]);
    for (const auto& [value, scalar] : uniform)
      map[index(value)] = builder.broadcast(builder.constant(scalar), body_.type(value).shape, {});
    for (const Node& node : body_.nodes()) {
      if (is_new_constant(node.results[0])) continue;
      std::vector<ValueId> inner;
      for (ValueId operand : node.operands) {
        if (!map[index(operand)]) break;
        inner.push_back(*map[index(operand)]);
      }
      if (inner.size() < node.operands.size()) continue;  // read by hoisted nodes only
      builder.set_origin(node.origin);
      const std::vector<ValueId> results =
          builder.add_node(node.kind, std::move(inner), node.attrs);
      for (size_t k = 0; k < results.size(); ++k) map[index(node.results[k])] = results[k];
    }
    for (const Output& output : body_.outputs())
      builder.output(output.kind, output.name, *map[index(output.value)]);
    ScanForm form = form_;
    form.body = std::make_shared<const Graph>(std::move(builder).build());
    outer().set_origin(node_.origin);
    return outer().add_node(OpKind::Scan, std::move(operands), ops::scan_attrs(form));
  }

  /// Values that the body's outputs or nodes that stay inside read.
  std::vector<bool> find_read() const {
    std::vector<bool> is_read(body_.value_count());
    for (const Output& output : body_.outputs()) is_read[index(output.value)] = true;
    for (size_t n = body_.nodes().size(); n-- > 0;) {
      const Node& node = body_.nodes()[n];
      const bool is_needed = std::any_of(node.results.begin(), node.results.end(),
                                         [&](ValueId result) { return is_read[index(result)]; });
      if (!is_needed || is_new_constant(node.results[0])) continue;
      for (ValueId operand : node.operands) is_read[index(operand)] = true;
    }
    return is_read;
  }

  Rewriter& rewriter_;
  const Node& node_;
  ScanForm form_;
  const Graph& body_;
  std::vector<bool> is_invariant_, is_hoisted_;  // by value of the body
  std::vector<std::optional<ValueId>> outside_;  // by value of the body
};

}  // namespace

Graph hoist(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (node.kind == OpKind::Scan)
      Hoisting(rewriter, node).run();
    else
      rewriter.copy(node);
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
