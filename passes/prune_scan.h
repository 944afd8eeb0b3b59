// What nobody reads of a scan.
#pragma once
#include "ir/builder.h"

namespace gradc {

/// The operands of the scan `node` that its used results depend on.
std::vector<bool> used_operands(const Node& node, const std::vector<bool>& used_results);

/// Copies the scan `node` without the collected values, carries, sequences and constants that no
/// used result depends on; `used` tells it for each result. Its body loses its dead nodes too.
void copy_used_scan(Rewriter& rewriter, const Node& node, const std::vector<bool>& used);

}  // namespace gradc
