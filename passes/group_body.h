// Which nodes a group computes, and its body.
#pragma once
#include <set>

#include "ir/graph.h"

namespace gradc {

/// What fusion does with a node.
enum class NodeRole : uint8_t {
  Computed,  // belongs to one group, which stores what others read
  Inlined,   // copied into each group that reads it: movement, conversions, iota, uniform constants
  View,      // reshape: inlined, or a view outside where it starts from a stored value
  Stored,    // stays as it is: constant arrays, scans, groups made before
};

/// The roles of all nodes and what follows from them. Refers to the graph.
class FusionRoles {
 public:
  /// `inlines`: false makes every node but constants and reshapes Computed.
  FusionRoles(const Graph& graph, bool inlines);

  const Graph& graph() const { return graph_; }
  NodeRole role(int32_t node) const { return roles_[static_cast<size_t>(node)]; }
  bool is_computed(ValueId value) const;
  /// Makes the node behind `value` (behind its views) Computed if it is Inlined, so that the value
  /// is stored. False if nothing had to change.
  bool materialize(ValueId value);
  /// materialize(), for uniform constants too.
  void store(ValueId value);
  /// The stored values (inputs, results of computed and stored nodes) that `value` is made of by
  /// inlined nodes and views; the value itself if it is one.
  void collect_stored(ValueId value, std::set<ValueId>& stored) const;
  /// Is `value` a stored value seen through views only?
  bool is_stored_view(ValueId value) const;

 private:
  NodeRole natural_role(const Node& node, bool inlines) const;

  const Graph& graph_;
  std::vector<NodeRole> roles_;
};

/// A group in the making.
struct GroupBody {
  Graph body;
  std::vector<ValueId> operands;  // of the surrounding graph, by body input
  std::vector<ValueId> results;   // likewise, by body output
  int32_t node_count = 0;         // with inlined copies
};

/// The body of a group that computes `nodes` (indices, ascending) and stores `results`.
GroupBody build_body(const FusionRoles& roles, const std::vector<int32_t>& nodes,
                     const std::vector<ValueId>& results);

}  // namespace gradc
