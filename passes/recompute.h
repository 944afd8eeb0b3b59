// Less memory for more time: values are computed again where they are read late.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/memory_outline.h"

namespace gradc {

/// Plans the memory of a fused graph.
using OutlineMemory = std::function<MemoryOutline(const Graph&)>;

/// What is computed a second time so that a value need not be kept.
struct RecomputedValues {
  std::string what;    // "exp_mul: f32[64, 128]", and what that needs
  int64_t bytes = 0;   // that were alive where most were
  double cost_ns = 0;  // estimated, one thread
};

struct Recomputation {
  Graph graph;
  std::vector<RecomputedValues> values;  // in the order of the choices
  int64_t arena_before = 0, arena_after = 0;
};

/// A fused graph that computes the same bits in an arena of at most `limit` bytes where that can be
/// had, else in the smallest that was found: `arena_after` tells. Where most memory is alive, a
/// value that was computed before and is read afterwards is dropped and computed again, by a copy
/// of its group (or of the part of it that the value needs), for its late readers. First those that
/// take no product, then products and convolutions, then whole scans; among them the most bytes
/// saved for the time it costs. Depends on nothing but the graph and the plans.
Recomputation fit_memory(const Graph& fused, int64_t limit, const OutlineMemory& outline);

}  // namespace gradc
