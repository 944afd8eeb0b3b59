// What each fusion group of a step is worth: its kernel against those that would stand in for it.
#pragma once
#include "tools/bench_subject.h"

namespace gradc {

/// A group that computes more than one kernel could alone, as measured.
struct GroupGain {
  enum class Verdict : uint8_t { Gains, Even, Loses };

  std::string group;         // "%31", in the round of a scan "%12/%3"
  std::string name, kind;    // "mul_add_sqrt", "loop"
  int64_t runs = 0;          // in one step: equal groups times rounds
  size_t fused_kernels = 0;  // of one run
  size_t parts_kernels = 0;
  double saved_bytes = 0;  // likewise
  /// The rule's; negative where a library computes a part of it.
  double estimated_fused_ns = -1, estimated_parts_ns = -1;
  Times fused, parts;

  /// Beyond noise: three quarters of the times of one below three quarters of those of the other.
  Verdict verdict() const;
  /// Of all runs of a step, seconds.
  double gain() const;
};
std::string_view name(GroupGain::Verdict verdict);

/// Measures the groups of the step for about so long, each at least nine times. Each group alone,
/// on memory that all share, and against `split_groups` of it: its results are the same. All
/// groups take their turn before the first is run again, as in the step; those of scans are run
/// several times in a row, as rounds are.
std::vector<GroupGain> measure_groups(BenchSubject& subject, GraphMode mode,
                                      const BenchBatch& batch, double seconds);

}  // namespace gradc
