// Dead code elimination: one backward sweep marks, one forward sweep copies.
#include "passes/dce.h"

#include <algorithm>

#include "ir/builder.h"
#include "passes/prune_scan.h"

namespace gradc {
namespace {

std::vector<bool> live_results(const Node& node, const std::vector<bool>& live) {
  std::vector<bool> results;
  for (ValueId result : node.results) results.push_back(live[index(result)]);
  return results;
}

}  // namespace

Graph dce(const Graph& graph) {
  std::vector<bool> live(graph.value_count());
  for (const Output& output : graph.outputs()) live[index(output.value)] = true;
  std::vector<bool> keep(graph.nodes().size());
  for (size_t position = keep.size(); position-- > 0;) {
    const Node& node = graph.nodes()[position];
    keep[position] = std::any_of(node.results.begin(), node.results.end(),
                                 [&](ValueId result) { return live[index(result)]; });
    if (!keep[position]) continue;
    std::vector<bool> used(node.operands.size(), true);
    if (node.kind == OpKind::Scan) used = used_operands(node, live_results(node, live));
    for (size_t k = 0; k < used.size(); ++k)
      if (used[k]) live[index(node.operands[k])] = true;
  }
  Rewriter rewriter(graph);
  for (size_t position = 0; position < keep.size(); ++position) {
    const Node& node = graph.nodes()[position];
    if (!keep[position]) continue;
    if (node.kind != OpKind::Scan) {
      rewriter.copy(node);
      continue;
    }
    copy_used_scan(rewriter, node, live_results(node, live));
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
