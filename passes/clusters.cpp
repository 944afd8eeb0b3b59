// Settles which values are stored, forms matrix products, and merges clusters where that pays.
#include "passes/clusters.h"

#include <algorithm>

#include "ir/convolution_pattern.h"
#include "ir/iteration_terms.h"
#include "ir/matmul_pattern.h"
#include "ir/op.h"
#include "passes/fusion_cost.h"

namespace gradc {
namespace {

/// Limits the time of one analysis.
constexpr int32_t kMaxGroupNodes = 200;
/// Smaller products are loops: calling the library costs more than they do.
constexpr int64_t kMinProductMultiplications = 4096;

}  // namespace

std::string_view name(GroupKind kind) {
  constexpr std::string_view kNames[] = {"loop", "matmul", "conv", "ordered"};
  return kNames[static_cast<size_t>(kind)];
}

Clusters::Clusters(const Graph& graph, FusionDegree degree)
    : graph_(graph), roles_(graph, degree != FusionDegree::Nothing) {
  mark_needed();
  for (const Output& output : graph.outputs()) roles_.materialize(output.value);
  for (const Node& node : graph.nodes())
    if (op_class(node.kind) == OpClass::Region)
      for (ValueId operand : node.operands) roles_.materialize(operand);
  settle_products(degree);
  settle_ordered();
  settle_operands();
  collect_readers();
  make_clusters(degree);
  collect_successors();
}

void Clusters::mark_needed() {
  is_needed_.assign(graph_.nodes().size(), false);
  const auto need = [&](ValueId value) {
    if (!graph_.is_input(value)) is_needed_[static_cast<size_t>(graph_.producer(value))] = true;
  };
  for (const Output& output : graph_.outputs()) need(output.value);
  for (size_t n = graph_.nodes().size(); n-- > 0;)
    if (is_needed_[n])
      for (ValueId operand : graph_.nodes()[n].operands) need(operand);
}

/// The product that a node computes if it is a large one; transposed operands are part of it.
std::optional<MatmulPattern> Clusters::product_of(int32_t node_index) const {
  const Node& node = graph_.nodes()[static_cast<size_t>(node_index)];
  const Type& type = graph_.type(node.results[0]);
  if (node.kind != OpKind::Dot || type.dtype != DType::F32) return std::nullopt;
  double multiplications = static_cast<double>(type.shape.element_count());
  const Shape& lhs = graph_.type(node.operands[0]).shape;
  for (int64_t axis : node.attrs.ints("lhs_contract"))
    multiplications *= static_cast<double>(lhs[axis]);
  if (multiplications < kMinProductMultiplications) return std::nullopt;
  return match_matmul(build_body(roles_, {node_index}, {node.results[0]}).body);
}

/// How the node is computed if nothing joins it.
GroupKind Clusters::kind_of(int32_t node) const {
  const Node& maker = graph_.nodes()[static_cast<size_t>(node)];
  if (is_convolution(maker.kind)) {
    const ConvolutionShape shape = convolution_shape(graph_, maker);
    const bool is_for_library = graph_.type(maker.results[0]).dtype == DType::F32 &&
                                shape.multiplications() >= kMinProductMultiplications &&
                                suits_library(maker.kind, shape);
    return is_for_library ? GroupKind::Conv : GroupKind::Loop;
  }
  const std::optional<MatmulPattern> product = product_of(node);
  return product && !suits_loops(*product) ? GroupKind::Matmul : GroupKind::Loop;
}

/// Operands of products are stored, but for transposes, which the library reads in place, and for
/// windows whose places are written out.
void Clusters::settle_products(FusionDegree degree) {
  const bool inlines = degree != FusionDegree::Nothing;
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.nodes()[n];
    if (is_needed_[n] && is_convolution(node.kind))
      for (ValueId operand : node.operands) roles_.materialize(operand);
    const bool is_candidate = is_needed_[n] && node.kind == OpKind::Dot &&
                              graph_.type(node.results[0]).dtype == DType::F32;
    const bool reads_windows = inlines && is_candidate && !written_out_axes(graph_, node).empty();
    if (reads_windows) roles_.materialize(graph_.defining_node(node.operands[0])->operands[0]);
    if (!is_candidate || reads_windows) continue;
    for (ValueId operand : node.operands) {
      const Node* maker = graph_.defining_node(operand);
      while (inlines && maker != nullptr && maker->kind == OpKind::Transpose) {
        operand = maker->operands[0];
        maker = graph_.defining_node(operand);
      }
      roles_.materialize(operand);
    }
    if (product_of(static_cast<int32_t>(n))) continue;
    for (ValueId operand : node.operands) roles_.materialize(operand);
  }
  if (degree == FusionDegree::Full) settle_biases();
}

/// A part of a larger tensor that is added to every row of a product is stored, to be its bias.
void Clusters::settle_biases() {
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.nodes()[n];
    if (!is_needed_[n] || node.kind != OpKind::Add) continue;
    for (const size_t side : {size_t{0}, size_t{1}}) {
      const Node* product = graph_.defining_node(node.operands[side]);
      const Node* rows = graph_.defining_node(node.operands[1 - side]);
      if (product == nullptr || rows == nullptr || rows->kind != OpKind::Broadcast) continue;
      const int64_t last = graph_.type(node.results[0]).shape.rank() - 1;
      if (rows->attrs.ints("axes") != std::vector<int64_t>{last}) continue;
      if (product_of(graph_.producer(node.operands[side]))) roles_.materialize(rows->operands[0]);
    }
  }
}

/// Operands of ordered ops are stored, whatever they are.
void Clusters::settle_ordered() {
  for (size_t n = 0; n < graph_.nodes().size(); ++n)
    if (is_needed_[n] && op_class(graph_.nodes()[n].kind) == OpClass::Ordered)
      roles_.store(graph_.nodes()[n].operands[0]);
}

/// Stores operands of nodes that cannot be loops with all that is inlined into them.
void Clusters::settle_operands() {
  for (size_t n = graph_.nodes().size(); n-- > 0;) {
    const auto position = static_cast<int32_t>(n);
    if (!is_needed_[n] || roles_.role(position) != NodeRole::Computed ||
        kind_of(position) != GroupKind::Loop)
      continue;
    const Node& node = graph_.nodes()[n];
    const GroupBody group = build_body(roles_, {position}, node.results);
    if (std::holds_alternative<GroupAnalysis>(analyze_group(group.body))) continue;
    for (ValueId operand : node.operands) roles_.materialize(operand);
  }
}

void Clusters::collect_readers() {
  readers_.resize(graph_.value_count());
  is_read_outside_.assign(graph_.value_count(), false);
  stored_.resize(graph_.nodes().size());
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    const Node& node = graph_.nodes()[n];
    const NodeRole role = roles_.role(static_cast<int32_t>(n));
    const bool is_reader = role == NodeRole::Computed || op_class(node.kind) == OpClass::Region;
    if (!is_needed_[n] || !is_reader) continue;
    std::set<ValueId> stored;
    for (ValueId operand : node.operands) roles_.collect_stored(operand, stored);
    for (ValueId value : stored) {
      if (role == NodeRole::Computed)
        readers_[index(value)].push_back(static_cast<int32_t>(n));
      else
        is_read_outside_[index(value)] = true;
    }
    stored_[n].assign(stored.begin(), stored.end());
  }
  for (const Output& output : graph_.outputs()) {
    std::set<ValueId> stored;
    roles_.collect_stored(output.value, stored);
    for (ValueId value : stored) is_read_outside_[index(value)] = true;
  }
}

std::optional<int32_t> Clusters::sole_reader(ValueId value) const {
  const std::vector<int32_t>& readers = readers_[index(value)];
  if (readers.size() != 1 || is_read_outside_[index(value)]) return std::nullopt;
  return readers[0];
}

/// The product and its bias. No activation: the library's relu turns a NaN into 0, and its other
/// functions are not the same bits as ours.
std::vector<int32_t> Clusters::product_with_bias(int32_t product) const {
  const std::optional<int32_t> reader =
      sole_reader(graph_.nodes()[static_cast<size_t>(product)].results[0]);
  if (!reader || cluster_by_node_[static_cast<size_t>(*reader)] >= 0) return {product};
  const Node& node = graph_.nodes()[static_cast<size_t>(*reader)];
  if (node.kind != OpKind::Add) return {product};
  const Graph body = build_body(roles_, {product, *reader}, {node.results[0]}).body;
  const bool is_bias = kind_of(product) == GroupKind::Conv ? match_convolution(body).has_value()
                                                           : match_matmul(body).has_value();
  return is_bias ? std::vector<int32_t>{product, *reader} : std::vector<int32_t>{product};
}

std::vector<ValueId> Clusters::results_of(const std::vector<int32_t>& nodes) const {
  std::vector<ValueId> results;
  for (int32_t n : nodes)
    for (ValueId value : graph_.nodes()[static_cast<size_t>(n)].results) {
      const std::vector<int32_t>& readers = readers_[index(value)];
      const bool is_read = is_read_outside_[index(value)] ||
                           std::any_of(readers.begin(), readers.end(), [&](int32_t reader) {
                             return !std::binary_search(nodes.begin(), nodes.end(), reader);
                           });
      if (is_read) results.push_back(value);
    }
  return results;
}

void Clusters::add_cluster(std::vector<int32_t> nodes, GroupKind kind) {
  Cluster cluster;
  cluster.group = build_body(roles_, nodes, results_of(nodes));
  cluster.kind = kind;
  cluster.has_product = std::any_of(nodes.begin(), nodes.end(),
                                    [&](int32_t node) { return product_of(node).has_value(); });
  if (kind == GroupKind::Loop) {
    const auto analysis = analyze_group(cluster.group.body);
    const auto* accepted = std::get_if<GroupAnalysis>(&analysis);
    CHECK(accepted != nullptr, "{} alone: {}",
          op_info(graph_.nodes()[static_cast<size_t>(nodes[0])].kind).name,
          std::get<std::string>(analysis));
    cluster.cost_ns = group_cost_ns(cluster.group.body, *accepted);
  }
  for (int32_t n : nodes)
    cluster_by_node_[static_cast<size_t>(n)] = static_cast<int32_t>(clusters_.size());
  cluster.nodes = std::move(nodes);
  clusters_.push_back(std::move(cluster));
}

void Clusters::make_clusters(FusionDegree degree) {
  const bool fuses = degree == FusionDegree::Full;
  cluster_by_node_.assign(graph_.nodes().size(), -1);
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    const auto position = static_cast<int32_t>(n);
    if (!is_needed_[n]) continue;
    const GroupKind kind = kind_of(position);
    if (kind != GroupKind::Loop)
      add_cluster(fuses ? product_with_bias(position) : std::vector<int32_t>{position}, kind);
  }
  for (size_t n = 0; n < graph_.nodes().size(); ++n) {
    const auto position = static_cast<int32_t>(n);
    if (is_needed_[n] && roles_.role(position) == NodeRole::Computed && cluster_by_node_[n] < 0)
      add_cluster({position}, op_class(graph_.nodes()[n].kind) == OpClass::Ordered
                                  ? GroupKind::Ordered
                                  : GroupKind::Loop);
  }
}

std::optional<size_t> Clusters::cluster_of(ValueId value) const {
  if (!roles_.is_computed(value)) return std::nullopt;
  const int32_t cluster = cluster_by_node_[static_cast<size_t>(graph_.producer(value))];
  if (cluster < 0) return std::nullopt;
  return static_cast<size_t>(cluster);
}

std::vector<ValueId> Clusters::dependencies(size_t cluster) const {
  std::set<ValueId> all;
  for (int32_t n : clusters_[cluster].nodes)
    for (ValueId value : stored_[static_cast<size_t>(n)])
      if (cluster_of(value) != cluster) all.insert(value);
  return {all.begin(), all.end()};
}

std::vector<size_t> Clusters::readers(ValueId value) const {
  std::vector<size_t> clusters;
  for (int32_t n : readers_[index(value)]) {
    const auto cluster = static_cast<size_t>(cluster_by_node_[static_cast<size_t>(n)]);
    if (std::find(clusters.begin(), clusters.end(), cluster) == clusters.end())
      clusters.push_back(cluster);
  }
  return clusters;
}

void Clusters::collect_successors() {
  next_.resize(clusters_.size());
  beyond_scans_.resize(clusters_.size());
  merged_into_.resize(clusters_.size());
  const std::vector<std::vector<size_t>> beyond = readers_beyond_scans();
  for (size_t c = 0; c < clusters_.size(); ++c) {
    merged_into_[c] = c;
    for (ValueId result : clusters_[c].group.results) {
      for (size_t reader : readers(result))
        if (reader != c) next_[c].push_back(reader);
      const std::vector<size_t>& far = beyond[index(result)];
      beyond_scans_[c].insert(beyond_scans_[c].end(), far.begin(), far.end());
    }
  }
  seen_.assign(clusters_.size(), 0);
}

/// By value: the clusters that read a result of a scan that depends on the value through scans.
std::vector<std::vector<size_t>> Clusters::readers_beyond_scans() const {
  std::vector<std::vector<size_t>> beyond(graph_.value_count());
  for (size_t n = graph_.nodes().size(); n-- > 0;) {
    const Node& node = graph_.nodes()[n];
    if (op_class(node.kind) != OpClass::Region || !is_needed_[n]) continue;
    std::set<size_t> reached;
    for (ValueId result : node.results) {
      const std::vector<size_t> direct = readers(result);
      reached.insert(direct.begin(), direct.end());
      reached.insert(beyond[index(result)].begin(), beyond[index(result)].end());
    }
    for (ValueId operand : stored_[n])
      beyond[index(operand)].insert(beyond[index(operand)].end(), reached.begin(), reached.end());
  }
  return beyond;
}

/// The cluster that holds the nodes with which cluster number `cluster` started.
size_t Clusters::current(size_t cluster) const {
  while (merged_into_[cluster] != cluster) cluster = merged_into_[cluster];
  return cluster;
}

std::vector<size_t> Clusters::successors(size_t cluster) const {
  std::vector<size_t> all;
  for (size_t next : next_[cluster])
    if (current(next) != cluster) all.push_back(current(next));
  return all;
}

/// Is there a path from one cluster to the other through a third? (A cluster that reads another
/// never reaches it: the clusters have no cycles.) A scan between them counts as a third.
bool Clusters::has_path_around(size_t from, size_t to) {
  ++search_;
  std::vector<size_t> pending;
  const auto follow = [&](size_t cluster) {
    for (size_t& next : next_[cluster]) {
      next = current(next);
      const bool is_news = next != from && seen_[next] != search_;
      if (!is_news || (cluster == from && next == to)) continue;
      seen_[next] = search_;
      pending.push_back(next);
    }
    for (size_t& next : beyond_scans_[cluster]) {
      next = current(next);
      if (next == from || seen_[next] == search_) continue;
      seen_[next] = search_;
      pending.push_back(next);
    }
  };
  follow(from);
  while (!pending.empty()) {
    const size_t cluster = pending.back();
    pending.pop_back();
    if (cluster == to) return true;
    follow(cluster);
  }
  return false;
}

bool Clusters::merge(size_t a, size_t b) {
  Cluster& first = clusters_[a];
  Cluster& second = clusters_[b];
  if (first.kind != GroupKind::Loop || second.kind != GroupKind::Loop) return false;
  if (first.has_product && second.has_product) {
    first.apart = second.apart = "the sums of two products would not fit into the registers";
    return false;
  }
  if (first.group.node_count + second.group.node_count > kMaxGroupNodes) {
    first.apart = second.apart = "the group would be too large";
    return false;
  }
  const std::vector<size_t> readers_of_first = successors(a);
  const bool is_producer =
      std::find(readers_of_first.begin(), readers_of_first.end(), b) != readers_of_first.end();
  if (has_path_around(a, b) || (!is_producer && has_path_around(b, a))) {
    first.apart = second.apart = "another group stands between them";
    return false;
  }
  std::vector<int32_t> nodes = first.nodes;
  nodes.insert(nodes.end(), second.nodes.begin(), second.nodes.end());
  std::sort(nodes.begin(), nodes.end());
  GroupBody group = build_body(roles_, nodes, results_of(nodes));
  const auto analysis = analyze_group(group.body);
  const auto* accepted = std::get_if<GroupAnalysis>(&analysis);
  if (accepted == nullptr) {
    first.apart = second.apart = std::get<std::string>(analysis);
    return false;
  }
  const double cost = group_cost_ns(group.body, *accepted);
  if (!is_worth_merging(cost, first.cost_ns, second.cost_ns)) {
    first.apart = second.apart = fmt::format("together they would take {:.1f} us, apart {:.1f} us",
                                             cost / 1e3, (first.cost_ns + second.cost_ns) / 1e3);
    return false;
  }
  next_[a].insert(next_[a].end(), next_[b].begin(), next_[b].end());
  beyond_scans_[a].insert(beyond_scans_[a].end(), beyond_scans_[b].begin(), beyond_scans_[b].end());
  merged_into_[b] = a;
  for (int32_t n : second.nodes) cluster_by_node_[static_cast<size_t>(n)] = static_cast<int32_t>(a);
  first.has_product = first.has_product || second.has_product;
  second = {};
  first.nodes = std::move(nodes);
  first.group = std::move(group);
  first.cost_ns = cost;
  return true;
}

std::vector<size_t> Clusters::ordered() const {
  std::vector<int32_t> waits_for(clusters_.size(), 0);
  std::set<std::pair<int32_t, size_t>> ready;  // by last node: near the original order
  for (size_t c = 0; c < clusters_.size(); ++c) {
    if (clusters_[c].nodes.empty()) continue;
    std::set<size_t> producers;
    for (ValueId value : dependencies(c))
      if (const std::optional<size_t> producer = cluster_of(value)) producers.insert(*producer);
    waits_for[c] = static_cast<int32_t>(producers.size());
    if (producers.empty()) ready.insert({clusters_[c].nodes.back(), c});
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t cluster = ready.begin()->second;
    ready.erase(ready.begin());
    order.push_back(cluster);
    const std::vector<size_t> next = successors(cluster);
    for (size_t reader : std::set<size_t>(next.begin(), next.end()))
      if (--waits_for[reader] == 0) ready.insert({clusters_[reader].nodes.back(), reader});
  }
  return order;
}

}  // namespace gradc
