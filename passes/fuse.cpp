// The order in which clusters are merged, and the fused graph made of them.
#include "passes/fuse.h"

#include <algorithm>

#include "ir/builder.h"
#include "ir/convolution_pattern.h"
#include "ir/matmul_pattern.h"
#include "ir/op.h"
#include "passes/clusters.h"

namespace gradc {
namespace {

/// Values smaller than this are not worth a common loop only because two groups read them.
constexpr int64_t kMinSharedElements = 1024;

/// Merges along edges: each cluster, in the order of the graph, with those that make its operands.
void merge_with_producers(const Graph& graph, Clusters& clusters) {
  for (const Node& node : graph.nodes()) {
    if (node.results.empty()) continue;
    const std::optional<size_t> start = clusters.cluster_of(node.results[0]);
    if (!start) continue;
    std::vector<ValueId> operands = clusters.dependencies(*start);
    std::reverse(operands.begin(), operands.end());
    for (ValueId operand : operands) {
      const std::optional<size_t> reader = clusters.cluster_of(node.results[0]);
      const std::optional<size_t> producer = clusters.cluster_of(operand);
      if (producer && producer != reader) clusters.merge(*producer, *reader);
    }
  }
}

/// Merges clusters that read the same large value, or the results of the same cluster.
void merge_siblings(const Graph& graph, Clusters& clusters) {
  for (uint32_t v = 0; v < graph.value_count(); ++v) {
    const auto value = static_cast<ValueId>(v);
    if (graph.type(value).shape.element_count() < kMinSharedElements) continue;
    const std::vector<size_t> readers = clusters.readers(value);
    for (size_t i = 0; i < readers.size(); ++i)
      for (size_t j = i + 1; j < readers.size(); ++j)
        if (!clusters[readers[i]].nodes.empty() && !clusters[readers[j]].nodes.empty())
          clusters.merge(readers[i], readers[j]);
  }
}

std::string describe_matmul(const MatmulPattern& pattern) {
  std::string text = fmt::format("matrix product {}x{}x{}", pattern.m, pattern.n, pattern.k);
  const int64_t count = pattern.outer * pattern.batch;
  if (count != 1) text = fmt::format("{} of {}", text, count);
  if (pattern.bias >= 0) text += " with bias";
  if (pattern.activation == MatmulPattern::Activation::Relu)
    text += pattern.bias >= 0 ? " and relu" : " with relu";
  return text;
}

std::string describe_convolution(const ConvolutionPattern& pattern) {
  const ConvolutionShape& shape = pattern.shape;
  const std::string_view what = pattern.kind == OpKind::Conv ? "convolution"
                                : pattern.kind == OpKind::ConvInput
                                    ? "transposed convolution"
                                    : "kernel gradient of a convolution";
  std::string text = fmt::format("{} {}x{}, {} to {} channels, {} kernel", what, shape.batch,
                                 fmt::join(shape.input, "x"), shape.channels, shape.filters,
                                 fmt::join(shape.kernel, "x"));
  if (shape.groups != 1) text += fmt::format(" in {} groups", shape.groups);
  if (pattern.bias >= 0) text += " with bias";
  return text;
}

std::string describe(const Cluster& cluster) {
  if (cluster.kind == GroupKind::Ordered) return "the order along rows";
  if (cluster.kind == GroupKind::Conv) {
    const std::optional<ConvolutionPattern> pattern = match_convolution(cluster.group.body);
    CHECK(pattern.has_value(), "a conv group does not match");
    return describe_convolution(*pattern);
  }
  if (cluster.kind == GroupKind::Matmul) {
    const std::optional<MatmulPattern> pattern = match_matmul(cluster.group.body);
    CHECK(pattern.has_value(), "a matmul group does not match");
    return describe_matmul(*pattern);
  }
  std::string text = cluster.nodes.size() == 1
                         ? "one op"
                         : fmt::format("{} ops in one pass over memory", cluster.nodes.size());
  if (!cluster.apart.empty()) text += "; not larger: " + cluster.apart;
  return text;
}

/// Builds the fused graph: groups, and the views and constants between them.
class Emitter {
 public:
  explicit Emitter(const Clusters& clusters)
      : clusters_(clusters),
        graph_(clusters.roles().graph()),
        builder_(graph_.name, graph_.mode, graph_.rows),
        map_(graph_.value_count()) {
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const Input& input = graph_.inputs()[i];
      const ValueId value = Graph::input_value(i);
      map_[i] = builder_.input(input.kind, input.name, graph_.type(value), input.limit);
    }
  }

  Graph run() {
    for (size_t cluster : clusters_.ordered()) emit(clusters_[cluster]);
    for (const Output& output : graph_.outputs())
      builder_.output(output.kind, output.name, stored(output.value));
    return std::move(builder_).build();
  }

 private:
  void emit(const Cluster& cluster) {
    if (map_[index(cluster.group.results[0])]) return;
    std::vector<ValueId> operands;
    for (ValueId operand : cluster.group.operands) operands.push_back(stored(operand));
    builder_.set_origin(graph_.nodes()[static_cast<size_t>(cluster.nodes.back())].origin);
    const std::vector<ValueId> results =
        builder_.add_node(OpKind::Group, std::move(operands),
                          {{"kind", std::string(name(cluster.kind))},
                           {"body", std::make_shared<const Graph>(cluster.group.body)},
                           {"reason", describe(cluster)}});
    for (size_t k = 0; k < results.size(); ++k) map_[index(cluster.group.results[k])] = results[k];
  }

  /// A stored value in the new graph, with the views and constants it needs.
  ValueId stored(ValueId value) {
    std::vector<ValueId> views;
    while (!map_[index(value)] && graph_.defining_node(value)->kind == OpKind::Reshape) {
      views.push_back(value);
      value = graph_.defining_node(value)->operands[0];
    }
    ValueId result = stored_itself(value);
    for (size_t v = views.size(); v-- > 0;) {
      const Node& node = *graph_.defining_node(views[v]);
      builder_.set_origin(node.origin);
      result = builder_.add(node.kind, {result}, node.attrs);
      map_[index(views[v])] = result;
    }
    return result;
  }

  ValueId stored_itself(ValueId value) {
    if (map_[index(value)]) return *map_[index(value)];
    if (const std::optional<size_t> cluster = clusters_.cluster_of(value)) {
      emit(clusters_[*cluster]);
      return *map_[index(value)];
    }
    const Node& node = *graph_.defining_node(value);
    const bool is_kept = node.kind == OpKind::Constant || op_class(node.kind) == OpClass::Region;
    CHECK(is_kept, "{} is not stored", op_info(node.kind).name);
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(stored(operand));
    builder_.set_origin(node.origin);
    const std::vector<ValueId> copies = builder_.add_node(node.kind, operands, node.attrs);
    for (size_t k = 0; k < copies.size(); ++k) map_[index(node.results[k])] = copies[k];
    return *map_[index(value)];
  }

  const Clusters& clusters_;
  const Graph& graph_;
  GraphBuilder builder_;
  std::vector<std::optional<ValueId>> map_;  // by value of the source
};

bool has_groups(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const Node& node) { return node.kind == OpKind::Group; });
}

bool is_fused(const Graph& graph) {
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return op_class(node.kind) == OpClass::Region || node.kind == OpKind::Constant ||
           node.kind == OpKind::Reshape;
  });
}

}  // namespace

Graph fuse(const Graph& graph) {
  if (is_fused(graph)) return graph;
  Clusters clusters(graph, FusionDegree::Full);
  if (!has_groups(graph)) {
    merge_with_producers(graph, clusters);
    merge_siblings(graph, clusters);
  }
  return Emitter(clusters).run();
}

Graph fuse_nothing(const Graph& graph) {
  if (is_fused(graph)) return graph;
  return Emitter(Clusters(graph, FusionDegree::Nothing)).run();
}

Graph split_groups(const Graph& graph, std::vector<int32_t>* origins) {
  Rewriter rewriter(graph);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (node.kind != OpKind::Group) {
      rewriter.copy(node);
      if (origins != nullptr) origins->push_back(static_cast<int32_t>(n));
      continue;
    }
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const Graph parts = Emitter(Clusters(body, FusionDegree::Inlined)).run();
    std::vector<ValueId> map = rewriter.map(node.operands);
    for (const Node& part : parts.nodes()) {
      std::vector<ValueId> operands;
      for (ValueId operand : part.operands) operands.push_back(map[index(operand)]);
      const std::vector<ValueId> copies =
          rewriter.builder().copy_node(parts, part, std::move(operands));
      map.insert(map.end(), copies.begin(), copies.end());
    }
    if (origins != nullptr)
      origins->insert(origins->end(), parts.nodes().size(), static_cast<int32_t>(n));
    for (size_t k = 0; k < node.results.size(); ++k)
      rewriter.replace(node.results[k], map[index(parts.outputs()[k].value)]);
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
