// Large reductions to one or few elements in two stages.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// A sum, product, maximum or minimum of more than 65536 elements over all axes becomes one over
/// the inner axes, then one over the rest:
///   sum(a) ==> sum(sum(a, inner axes), outer axes)
/// so that threads can share the first, cut at places that depend on the shape alone: the result is
/// the same for any number of threads. A single axis is first reshaped to [n / k, k], k the
/// largest divisor of n up to 4096; where that is below 16 the reduction stays.
/// Likewise over several leading axes to fewer than 512 elements, cut after the first axis:
///   sum(a, [0, 1, 2]) ==> sum(sum(a, [1, 2]), [0])
/// The intermediate results are rounded to the dtype.
Graph split_reductions(const Graph& graph);

}  // namespace gradc
