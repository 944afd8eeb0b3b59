// What a body computes, in words.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace gradc {

/// The names of the ops that compute, in the order of the nodes, each once: no movement, leaves and
/// conversions.
std::vector<std::string_view> computing_ops(const Graph& body);
/// The first two of them and the last, "dot_add_maximum"; of a body without any its last op.
std::string title_of_ops(const Graph& body);

}  // namespace gradc
