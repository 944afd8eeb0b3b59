// Roles of nodes, and the copy of a set of nodes with all that is inlined between them.
#include "passes/group_body.h"

#include <algorithm>
#include <map>

#include "ir/builder.h"
#include "ir/iteration.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// A longer chain of inlined values is stored somewhere: every reader would repeat all of it.
constexpr int32_t kMaxInlinedChain = 32;

}  // namespace

FusionRoles::FusionRoles(const Graph& graph, bool inlines) : graph_(graph) {
  std::vector<int32_t> chain(graph.nodes().size(), 0);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    NodeRole role = natural_role(node, inlines);
    if (role == NodeRole::Inlined || role == NodeRole::View)
      for (ValueId operand : node.operands)
        if (!graph.is_input(operand))
          chain[n] = chain[static_cast<size_t>(graph.producer(operand))] + 1;
    if (role == NodeRole::Inlined && chain[n] > kMaxInlinedChain) {
      role = NodeRole::Computed;
      chain[n] = 0;
    }
    roles_.push_back(role);
  }
}

NodeRole FusionRoles::natural_role(const Node& node, bool inlines) const {
  switch (node.kind) {
    case OpKind::Constant:
      return uniform_element(node.attrs.get<Tensor>("value")) ? NodeRole::Inlined
                                                              : NodeRole::Stored;
    case OpKind::Reshape:
      return NodeRole::View;
    case OpKind::Group:
    case OpKind::Scan:
      return NodeRole::Stored;
    case OpKind::Convert:
    case OpKind::Broadcast:
    case OpKind::Transpose:
    case OpKind::Slice:
    case OpKind::Reverse:
    case OpKind::Windows:
    case OpKind::Iota:
    case OpKind::StopGradient:
      return inlines ? NodeRole::Inlined : NodeRole::Computed;
    default:
      CHECK(op_class(node.kind) != OpClass::Meta, "{} reached fusion", op_info(node.kind).name);
      return NodeRole::Computed;
  }
}

bool FusionRoles::is_computed(ValueId value) const {
  return !graph_.is_input(value) && role(graph_.producer(value)) == NodeRole::Computed;
}

bool FusionRoles::materialize(ValueId value) {
  while (!graph_.is_input(value) && role(graph_.producer(value)) == NodeRole::View)
    value = graph_.defining_node(value)->operands[0];
  if (graph_.is_input(value)) return false;
  NodeRole& role_of_node = roles_[static_cast<size_t>(graph_.producer(value))];
  const bool is_constant = graph_.defining_node(value)->kind == OpKind::Constant;
  if (role_of_node != NodeRole::Inlined || is_constant) return false;
  role_of_node = NodeRole::Computed;
  return true;
}

void FusionRoles::store(ValueId value) {
  if (materialize(value)) return;
  while (!graph_.is_input(value) && role(graph_.producer(value)) == NodeRole::View)
    value = graph_.defining_node(value)->operands[0];
  if (!graph_.is_input(value) && graph_.defining_node(value)->kind == OpKind::Constant)
    roles_[static_cast<size_t>(graph_.producer(value))] = NodeRole::Stored;
}

void FusionRoles::collect_stored(ValueId value, std::set<ValueId>& stored) const {
  while (!graph_.is_input(value)) {
    const NodeRole role_of_node = role(graph_.producer(value));
    if (role_of_node != NodeRole::Inlined && role_of_node != NodeRole::View) break;
    const std::vector<ValueId>& operands = graph_.defining_node(value)->operands;
    if (operands.empty()) return;
    CHECK(operands.size() == 1, "an inlined node has one operand");
    value = operands[0];
  }
  stored.insert(value);
}

bool FusionRoles::is_stored_view(ValueId value) const {
  while (!graph_.is_input(value) && role(graph_.producer(value)) == NodeRole::View)
    value = graph_.defining_node(value)->operands[0];
  return graph_.is_input(value) || role(graph_.producer(value)) != NodeRole::Inlined;
}

namespace {

/// Collects what a body needs, then copies it in order.
class BodyBuilder {
 public:
  BodyBuilder(const FusionRoles& roles, const std::vector<int32_t>& nodes)
      : roles_(roles), graph_(roles.graph()), members_(nodes.begin(), nodes.end()) {
    for (int32_t node : nodes) add_node(node);
  }

  GroupBody build(const std::vector<ValueId>& results) {
    GroupBody group;
    GraphBuilder builder("body", GraphMode::Body);
    std::map<ValueId, ValueId> map;
    for (ValueId operand : operands_) {
      map[operand] = builder.input(InputKind::Operand, fmt::format("a{}", group.operands.size()),
                                   graph_.type(operand));
      group.operands.push_back(operand);
    }
    for (int32_t position : copied_) {
      const Node& node = graph_.nodes()[static_cast<size_t>(position)];
      std::vector<ValueId> operands;
      for (ValueId operand : node.operands) operands.push_back(map.at(operand));
      const std::vector<ValueId> copies = builder.copy_node(graph_, node, std::move(operands));
      for (size_t k = 0; k < copies.size(); ++k) map[node.results[k]] = copies[k];
    }
    for (ValueId result : results) {
      builder.output(OutputKind::Result, fmt::format("r{}", group.results.size()), map.at(result));
      group.results.push_back(result);
    }
    group.node_count = static_cast<int32_t>(copied_.size());
    group.body = std::move(builder).build();
    return group;
  }

 private:
  /// Adds a node and all that is inlined before it.
  void add_node(int32_t first) {
    std::vector<int32_t> pending{first};
    while (!pending.empty()) {
      const int32_t position = pending.back();
      pending.pop_back();
      if (!copied_.insert(position).second) continue;
      for (ValueId operand : graph_.nodes()[static_cast<size_t>(position)].operands) {
        if (is_copied(operand))
          pending.push_back(graph_.producer(operand));
        else
          operands_.insert(operand);
      }
    }
  }

  bool is_copied(ValueId value) const {
    if (graph_.is_input(value)) return false;
    const int32_t producer = graph_.producer(value);
    const NodeRole role = roles_.role(producer);
    return members_.count(producer) != 0 || role == NodeRole::Inlined ||
           (role == NodeRole::View && !is_outside_view(value));
  }

  /// Can the reshape stay outside, as a view of a value that another group stores?
  bool is_outside_view(ValueId value) const {
    while (!graph_.is_input(value) && roles_.role(graph_.producer(value)) == NodeRole::View)
      value = graph_.defining_node(value)->operands[0];
    return roles_.is_stored_view(value) &&
           (graph_.is_input(value) || members_.count(graph_.producer(value)) == 0);
  }

  const FusionRoles& roles_;
  const Graph& graph_;
  std::set<int32_t> members_;
  std::set<int32_t> copied_;
  std::set<ValueId> operands_;
};

}  // namespace

GroupBody build_body(const FusionRoles& roles, const std::vector<int32_t>& nodes,
                     const std::vector<ValueId>& results) {
  return BodyBuilder(roles, nodes).build(results);
}

}  // namespace gradc
