// Dead code elimination: one backward sweep marks, one forward sweep copies.
#include "passes/dce.h"

#include <algorithm>

#include "ir/builder.h"
#include "passes/prune_scan.h"

namespace gradc {

Graph dce(const Graph& graph) {
  std::vector<bool> live(graph.value_count());
  for (const Output& output : graph.outputs()) live[index(output.value)] = true;
  std::vector<bool> keep(graph.nodes().size());
  for (size_t position = keep.size(); position-- > 0;) {
    const Node& node = graph.nodes()[position];
    keep[position] = std::any_of(node.results.begin(), node.results.end(),
                                 [&](ValueId result) { return live[index(result)]; });
    if (!keep[position]) continue;
    for (ValueId operand : node.operands) live[index(operand)] = true;
  }
  Rewriter rewriter(graph);
  for (size_t position = 0; position < keep.size(); ++position) {
    const Node& node = graph.nodes()[position];
    if (!keep[position]) continue;
    if (node.kind != OpKind::Scan) {
      rewriter.copy(node);
      continue;
    }
    std::vector<bool> used;
    for (ValueId result : node.results) used.push_back(live[index(result)]);
    copy_used_scan(rewriter, node, used);
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
