// The version as `gradc --version` prints it.
#pragma once
#include <string>

namespace gradc {

/// "gradc 0.1.0 (LLVM target znver4, 16 lanes)".
std::string version_text();

}  // namespace gradc
