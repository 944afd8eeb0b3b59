// Markdown for terminals.
#pragma once
#include <string>

namespace gradc {

/// A page whose tables have columns of equal width, without bars and rules; numbers at the right.
std::string align_tables(const std::string& markdown);

}  // namespace gradc
