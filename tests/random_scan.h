// Random graphs with scans: cells with products, gates and reductions, in both directions, nested.
#pragma once
#include "ir/graph.h"

namespace gradc::testing {

/// Inputs of mode run (parameters and data, of `dtype`); outputs last carries and collected values.
Graph random_scan_graph(uint64_t seed, DType dtype);

/// The graph of f32 outputs, and the gradients of the sum of their squares by its inputs.
Graph with_gradients(const Graph& graph);

}  // namespace gradc::testing
