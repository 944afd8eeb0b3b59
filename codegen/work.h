// How much a step has to compute and to move: for measuring, not for running.
#pragma once
#include "codegen/loop.h"
#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// Of all iterations: an elementwise op or an addition to a sum is one, a multiply-add two;
/// conversions and comparisons count as others do. Bytes are those of each buffer that are touched,
/// once, or twice where it is added to.
Work work_of(const loop::Kernel& kernel);
/// Of a step that calls no kernel of ours.
Work work_of(const MatmulStep& step);
Work work_of(const ConvStep& step);

/// Two for each multiply-add of the matrix products and convolutions of a graph, bodies included.
double product_flop(const Graph& graph);

}  // namespace gradc
