// What a memory limit costs, as text.
#pragma once
#include <string>

#include "passes/recompute.h"

namespace gradc {

/// Throws Error (InputOutput, E0806) where the limit is not kept.
void check_limit(const std::string& title, const Recomputation& fitted, int64_t limit);

/// A line with the arena before and after, and one for each choice; empty where nothing is
/// computed again.
std::string memory_table(const std::string& title, const Recomputation& fitted, int64_t limit);

}  // namespace gradc
