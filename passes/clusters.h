// Sets of nodes that will be groups: who reads whom, and what a union would cost.
#pragma once
#include <optional>
#include <string>

#include "ir/matmul_pattern.h"
#include "passes/group_body.h"

namespace gradc {

/// How a group is computed: by generated loops, by one call of the library, or by
/// code of the runtime.
enum class GroupKind : uint8_t { Loop, Matmul, Conv, Ordered };
std::string_view name(GroupKind kind);

/// What a kernel may compute beside its op.
enum class FusionDegree : uint8_t {
  Nothing,  // nothing: one kernel for each op
  Inlined,  // what is inlined into it
  Full,     // other ops
};

/// A group in the making, and what is known about it.
struct Cluster {
  std::vector<int32_t> nodes;  // indices, ascending; empty once it was merged away
  GroupBody group;
  double cost_ns = 0;
  GroupKind kind = GroupKind::Loop;
  bool has_product = false;  // a large one
  std::string apart;         // why the last neighbour stayed outside; empty if none was tried
};

/// Starts with a cluster for each matrix product and convolution that the library computes (with
/// its bias, where fusion is full) and one for each other computed node that is needed. Refers to
/// the graph; settles the roles of its nodes.
class Clusters {
 public:
  Clusters(const Graph& graph, FusionDegree degree);

  const FusionRoles& roles() const { return roles_; }
  size_t size() const { return clusters_.size(); }
  const Cluster& operator[](size_t cluster) const { return clusters_[cluster]; }
  /// The cluster that computes `value`, or nothing for inputs, constants and earlier groups.
  std::optional<size_t> cluster_of(ValueId value) const;
  /// The stored values that the cluster reads, ascending.
  std::vector<ValueId> dependencies(size_t cluster) const;
  /// The clusters that read `value`, ascending by first node.
  std::vector<size_t> readers(ValueId value) const;

  /// Makes one cluster of two if it can be one group and the result is estimated to be faster;
  /// `a` takes the nodes of both. Else false, and the reason is noted.
  bool merge(size_t a, size_t b);

  /// The clusters in an order in which operands come first.
  std::vector<size_t> ordered() const;

 private:
  void mark_needed();
  void settle_products(FusionDegree degree);
  void settle_biases();
  void settle_ordered();
  void settle_operands();
  void collect_readers();
  void make_clusters(FusionDegree degree);
  std::vector<int32_t> product_with_bias(int32_t product) const;
  std::optional<int32_t> sole_reader(ValueId value) const;
  GroupKind kind_of(int32_t node) const;
  std::optional<MatmulPattern> product_of(int32_t node_index) const;
  std::vector<ValueId> results_of(const std::vector<int32_t>& nodes) const;
  void add_cluster(std::vector<int32_t> nodes, GroupKind kind);
  void collect_successors();
  std::vector<std::vector<size_t>> readers_beyond_scans() const;
  size_t current(size_t cluster) const;
  bool has_path_around(size_t from, size_t to);
  std::vector<size_t> successors(size_t cluster) const;

  const Graph& graph_;
  FusionRoles roles_;
  std::vector<bool> is_needed_;                // by node
  std::vector<std::vector<int32_t>> readers_;  // by value: computed nodes that read it
  std::vector<bool> is_read_outside_;          // by value: outputs, earlier groups
  std::vector<std::vector<ValueId>> stored_;   // by node: stored values it reads
  std::vector<int32_t> cluster_by_node_;
  std::vector<Cluster> clusters_;
  std::vector<std::vector<size_t>> next_;  // by cluster: readers, by the numbers they once had
  std::vector<std::vector<size_t>> beyond_scans_;  // by cluster: readers of scans that read it
  std::vector<size_t> merged_into_;                // by cluster: itself, or where its nodes went
  std::vector<int32_t> seen_;                      // by cluster: the last search that met it
  int32_t search_ = 0;
};

}  // namespace gradc
