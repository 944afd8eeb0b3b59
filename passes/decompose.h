// Decomposition: ops that stand for other ops.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// The graph without mean, stop_gradient and accumulate, and without powers by small constants:
///   mean(a, axes) ==> sum(a, axes) / n, n the number of elements that one mean is over
///   stop_gradient(a) ==> a; accumulate(a) ==> a: differentiation and elaboration have read them
///   pow(a, 0) ==> 1; pow(a, 1) ==> a; pow(a, 2) ==> a * a; pow(a, 3) ==> a * a * a;
///   pow(a, -1) ==> 1 / a
/// Means and powers keep their value up to one rounding.
Graph decompose(const Graph& graph);

}  // namespace gradc
