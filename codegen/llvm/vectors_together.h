// How many vectors a vector loop keeps in registers at once.
#pragma once
#include "codegen/llvm/target.h"
#include "codegen/loop.h"

namespace gradc {

/// 4, 2 or 1. More than one where serial loops inside feed accumulators of the lanes: each step of
/// them then serves more columns (a product loads an element of the other operand once for all, and
/// memory is read in longer pieces), as long as all that is alive fits the registers. The bits are
/// the same: each lane has its own accumulators.
int64_t vectors_together(const loop::For& loop, const Target& target);

}  // namespace gradc
