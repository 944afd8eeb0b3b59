// Seeded random graphs, well typed, for properties of every stage: pass and compile them, compare.
#pragma once
#include "ir/graph.h"
#include "tests/random_op.h"

namespace gradc::testing {

struct RandomGraphOptions {
  int nodes = 20;
  int64_t max_elements = 300;
  /// Without: no comparisons, rounding, argmax, ... whose result jumps where operands differ by an
  /// ulp, so that outputs of two stages can be compared with a tolerance.
  bool discontinuous = false;
  /// Gradients flow: float outputs, and a Loss output that depends on them.
  bool with_loss = false;
};

/// A graph of mode run. Inputs are parameters (floats) and data (integers, bool); outputs are the
/// values nobody reads. Holds every op class but regions and meta. The same seed gives the same
/// graph.
Graph random_graph(uint64_t seed, const RandomGraphOptions& options = {});

/// How far, relative to the sums they come from, floats of the dtype may be from the interpreter's;
/// 0 for the other dtypes.
double tolerance_of(DType dtype);
/// That of the coarsest floats of a graph: an f64 may come from sums of f32.
double tolerance_of(const Graph& graph);

/// Tensors for the inputs of a graph.
std::vector<Tensor> random_inputs(const Graph& graph, uint64_t seed);

}  // namespace gradc::testing
