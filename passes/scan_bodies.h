// Passes inside the bodies of scans.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// A copy of `graph` with `run` applied to the body of every scan, innermost first.
Graph rewrite_bodies(const Graph& graph, Graph (*run)(const Graph&));

/// `run` applied to the bodies of all scans and then to the graph itself.
template <Graph (*run)(const Graph&)>
Graph in_bodies(const Graph& graph) {
  return run(rewrite_bodies(graph, run));
}

}  // namespace gradc
