// What each fusion group of a step is worth: its kernel against those that would stand in for it.
#pragma once
#include "tools/bench_subject.h"

namespace gradc {

/// A group that computes more than one kernel could alone, as measured.
struct GroupGain {
  enum class Verdict : uint8_t { Gains, Even, Loses };

  std::string group;         // "%31", in the round of a scan "%12/%3"
  std::string name, kind;    // its ops: "mul_add_sqrt"; "loop"
  int64_t runs = 0;          // in one step: equal groups times rounds
  size_t parts_kernels = 0;  // that stand in for it
  double saved_bytes = 0;    // of one run
  /// The rule's; negative where a library computes a part of it.
  double estimated_fused_ns = -1, estimated_parts_ns = -1;
  Times fused, parts;

  /// The 10th percentile, which other processes disturb least, seconds.
  double fused_time() const { return fused.quantile(0.1); }
  double parts_time() const { return parts.quantile(0.1); }
  /// Beyond noise: these times differ by more than a share and the clock's own error, and the
  /// medians to the same side.
  Verdict verdict() const;
  /// Of all runs of a step, seconds.
  double gain() const;
};
std::string_view name(GroupGain::Verdict verdict);

/// Measures the groups of the step for about so long, each at least nine times, against
/// `split_groups` of them, which gives the same results: steps of the fused program and of the one
/// whose groups are all split take turns, kernel by kernel. Groups in the rounds of scans are
/// measured alone, on numbers of no meaning and several times in a row, as rounds are.
std::vector<GroupGain> measure_groups(BenchSubject& subject, GraphMode mode,
                                      const BenchBatch& batch, double seconds);

}  // namespace gradc
