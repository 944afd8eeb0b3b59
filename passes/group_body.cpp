// Roles of nodes, and the copy of a set of nodes with all that is inlined between them.
#include "passes/group_body.h"

#include <algorithm>
#include <map>

#include "ir/builder.h"
#include "ir/iteration.h"
#include "ir/op.h"

namespace gradc {

FusionRoles::FusionRoles(const Graph& graph, bool inlines) : graph_(graph) {
  for (const Node& node : graph.nodes()) roles_.push_back(natural_role(node, inlines));
}

NodeRole FusionRoles::natural_role(const Node& node, bool inlines) const {
  switch (node.kind) {
    case OpKind::Constant:
      return uniform_element(node.attrs.get<Tensor>("value")) ? NodeRole::Inlined
                                                              : NodeRole::Stored;
    case OpKind::Reshape:
      return NodeRole::View;
    case OpKind::Group:
      return NodeRole::Stored;
    case OpKind::Convert:
    case OpKind::Broadcast:
    case OpKind::Transpose:
    case OpKind::Slice:
    case OpKind::Reverse:
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

void FusionRoles::collect_stored(ValueId value, std::set<ValueId>& stored) const {
  const Node* node = graph_.defining_node(value);
  const bool is_through = node != nullptr && (role(graph_.producer(value)) == NodeRole::Inlined ||
                                              role(graph_.producer(value)) == NodeRole::View);
  if (!is_through) {
    stored.insert(value);
    return;
  }
  for (ValueId operand : node->operands) collect_stored(operand, stored);
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
      builder.set_origin(node.origin);
      const std::vector<ValueId> copies = builder.add_node(node.kind, operands, node.attrs);
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
  void add_node(int32_t position) {
    if (!copied_.insert(position).second) return;
    for (ValueId operand : graph_.nodes()[static_cast<size_t>(position)].operands)
      add_operand(operand);
  }

  void add_operand(ValueId value) {
    if (graph_.is_input(value)) {
      operands_.insert(value);
      return;
    }
    const int32_t producer = graph_.producer(value);
    const NodeRole role = roles_.role(producer);
    if (members_.count(producer) != 0 || role == NodeRole::Inlined ||
        (role == NodeRole::View && !is_outside_view(value)))
      add_node(producer);
    else
      operands_.insert(value);
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
