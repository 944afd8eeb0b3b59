// One walk over the nodes; equal groups have equal titles wherever they come from.
#include "ir/computing_ops.h"

#include <algorithm>

#include "ir/op.h"

namespace gradc {

std::vector<std::string_view> computing_ops(const Graph& body) {
  std::vector<std::string_view> ops;
  for (const Node& node : body.nodes()) {
    const OpClass op = op_class(node.kind);
    if (op == OpClass::Movement || op == OpClass::Leaf || node.kind == OpKind::Convert) continue;
    const std::string_view name = op_info(node.kind).name;
    if (std::find(ops.begin(), ops.end(), name) == ops.end()) ops.push_back(name);
  }
  return ops;
}

std::string title_of_ops(const Graph& body) {
  std::vector<std::string_view> ops = computing_ops(body);
  if (ops.empty())
    return body.nodes().empty() ? "copy" : std::string(op_info(body.nodes().back().kind).name);
  if (ops.size() > 3) ops.erase(ops.begin() + 2, ops.end() - 1);
  return fmt::format("{}", fmt::join(ops, "_"));
}

}  // namespace gradc
