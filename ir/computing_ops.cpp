// One walk over the nodes.
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

}  // namespace gradc
