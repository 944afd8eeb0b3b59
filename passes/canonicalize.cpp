// Canonicalization: copies the graph through the rewrite rules.
#include "passes/canonicalize.h"

#include "ir/op.h"
#include "passes/canonicalize_rules.h"

namespace gradc {

Graph canonicalize(const Graph& graph) {
  Rewriter rewriter(graph);
  const std::span<const RewriteRule> rules[] = {elementwise_rules(), movement_rules(),
                                                contraction_rules(), window_rules()};
  Simplifier simplifier(rewriter.builder(), rules);
  for (const Node& node : graph.nodes()) {
    const OpClass op_class = gradc::op_class(node.kind);
    if (op_class == OpClass::Region || op_class == OpClass::Meta) {
      rewriter.copy(node);
      continue;
    }
    rewriter.builder().set_origin(node.origin);
    rewriter.replace(node.results[0],
                     simplifier.add(node.kind, rewriter.map(node.operands), node.attrs));
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
