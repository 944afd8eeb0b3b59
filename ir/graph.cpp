// User counts.
#include "ir/graph.h"

namespace gradc {

std::vector<int32_t> count_users(const Graph& graph) {
  std::vector<int32_t> users(graph.value_count(), 0);
  for (const Node& node : graph.nodes())
    for (ValueId operand : node.operands) ++users[index(operand)];
  for (const Output& output : graph.outputs()) ++users[index(output.value)];
  return users;
}

}  // namespace gradc
