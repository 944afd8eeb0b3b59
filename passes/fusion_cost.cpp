// Which nests are split between threads, and what that gains.
#include "passes/fusion_cost.h"

#include <algorithm>

#include "runtime/core/parallel_threshold.h"

namespace gradc {
namespace {

constexpr double kParallelGain = 0.55;

/// Can the nest be split between threads?
bool is_parallel(const Nest& nest) {
  if (nest.dims.empty() || nest.dims[0].reduced) return false;
  const int64_t extent = nest.dims[0].extent;
  return nest.vector_dim == 0 ? extent >= 128 : extent >= 2;
}

}  // namespace

double group_cost_ns(const Graph& body, const GroupAnalysis& analysis) {
  const double cost = estimate_cost_ns(body, analysis);
  const bool splits = std::all_of(analysis.nests.begin(), analysis.nests.end(), is_parallel);
  return cost > kParallelFromNs && splits ? cost * kParallelGain : cost;
}

}  // namespace gradc
