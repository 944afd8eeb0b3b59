// Loop invariants of scans.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Computes before a scan what its rounds compute from constants of the loop alone; cheap views of
/// it (broadcasts, iotas, conversions) stay inside where a round reads them. The other way round,
/// constants of the loop whose elements are all equal move into the body, where they cost nothing.
Graph hoist(const Graph& graph);

}  // namespace gradc
