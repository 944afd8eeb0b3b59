// Copies a graph, changing the bodies of its scans.
#include "passes/scan_bodies.h"

#include <algorithm>

#include "ir/builder.h"

namespace gradc {

Graph rewrite_bodies(const Graph& graph, Graph (*run)(const Graph&)) {
  const auto is_scan = [](const Node& node) { return node.kind == OpKind::Scan; };
  if (std::none_of(graph.nodes().begin(), graph.nodes().end(), is_scan)) return graph;
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (!is_scan(node)) {
      rewriter.copy(node);
      continue;
    }
    Node changed = node;
    const Graph& body = *node.attrs.get<BodyRef>("body");
    changed.attrs.set("body", std::make_shared<const Graph>(run(rewrite_bodies(body, run))));
    rewriter.copy(changed);
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
