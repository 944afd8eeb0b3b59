// What fusion saves: memory traffic of each group against a kernel for each op.
#pragma once
#include <string>

#include "ir/graph.h"

namespace gradc {

/// Bytes that kernels for each op of a group's body would read and write, less those of the group.
int64_t saved_bytes(const Graph& body);

/// Comment lines for a fused graph and the bodies of its scans: a line a group that saves
/// something, and the sum of all rounds.
std::string describe_savings(const Graph& fused);

}  // namespace gradc
