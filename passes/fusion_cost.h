// The rule that decides whether a group is formed: estimates of time, never a clock, so that two
// runs of one build fuse alike. `gradc bench --fusion-report` holds it against measurements.
#pragma once
#include "ir/iteration.h"

namespace gradc {

/// A kernel of its own costs its call and its share of the region that runs it.
inline constexpr double kGroupOverheadNs = 1000;

/// Estimated time of a loop group: on one thread, or where it is long enough and can be split on
/// several.
double group_cost_ns(const Graph& body, const GroupAnalysis& analysis);

/// Should two groups be one?
inline bool is_worth_merging(double together_ns, double first_ns, double second_ns) {
  return together_ns <= first_ns + second_ns + kGroupOverheadNs;
}

}  // namespace gradc
