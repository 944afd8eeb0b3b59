// Reverse-mode differentiation: each gradient node becomes a reverse walk.
#include "passes/differentiate.h"

#include <algorithm>

#include "ir/op.h"

namespace gradc {

std::vector<ValueId> append_gradient(GraphBuilder& builder, ValueId y, std::span<const ValueId> xs,
                                     std::vector<MissingDerivative>& missing) {
  const Cotangent seed{y, builder.fill_like(y, 1.0)};
  std::vector<ValueId> gradients;
  size_t position = 0;
  for (const auto& cotangent : append_cotangents(builder, {&seed, 1}, xs, missing)) {
    gradients.push_back(cotangent ? *cotangent : builder.fill_like(xs[position], 0.0));
    ++position;
  }
  return gradients;
}

void check_nothing_missing(const std::vector<MissingDerivative>& missing) {
  if (missing.empty()) return;
  std::string message = missing.size() == 1
                            ? "a derivative is missing"
                            : fmt::format("{} derivatives are missing", missing.size());
  for (const MissingDerivative& entry : missing) {
    const Origin& origin = entry.origin;
    message += origin.line > 0 ? fmt::format("\n  {}:{}:{}: {}", origin.file, origin.line,
                                             origin.column, entry.what)
                               : fmt::format("\n  {}", entry.what);
  }
  throw Error(ExitCode::ModelOrData, "E0714", message);
}

Graph differentiate(const Graph& graph) {
  Rewriter rewriter(graph);
  std::vector<MissingDerivative> missing;
  for (const Node& node : graph.nodes()) {
    if (node.kind != OpKind::Gradient) {
      rewriter.copy(node);
      continue;
    }
    const std::vector<ValueId> operands = rewriter.map(node.operands);
    rewriter.builder().set_origin(node.origin);
    const std::vector<ValueId> gradients =
        append_gradient(rewriter.builder(), operands[0], std::span(operands).subspan(1), missing);
    for (size_t k = 0; k < gradients.size(); ++k) {
      rewriter.replace(node.results[k], gradients[k]);
    }
  }
  check_nothing_missing(missing);
  return std::move(rewriter).finish();
}

}  // namespace gradc
