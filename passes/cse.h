// Common subexpression elimination.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Of nodes with the same op, operands (in any order if the op is commutative) and attributes only
/// the first stays. Ops are pure functions,
/// random draws included: their position is operands and attributes. Groups are left alone: they
/// are decisions already made.
Graph cse(const Graph& graph);

}  // namespace gradc
