// Running sums and sorting along rows: work that is no loop over independent elements.
#pragma once
#include "runtime/program.h"

namespace gradc {

/// Computes rows [begin, end) of the step from `from` (step.dtype, [rows, columns]) to `to`: sums
/// of the same dtype, or an i32 permutation. Needs no memory beside the two, which do not overlap.
void run_ordered(const OrderedStep& step, const void* from, void* to, int64_t begin, int64_t end);

/// Estimated time of a row on one thread.
double ordered_row_cost_ns(const OrderedStep& step);

}  // namespace gradc
