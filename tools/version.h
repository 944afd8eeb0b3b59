// The version as `gradc --version` prints it.
#pragma once
#include <string>

namespace gradc {

/// "gradc 0.1.0 (AMD EPYC 9B14, avx512f, 16 lanes)".
std::string version_text();
/// "gradc 0.1.0".
std::string version_number();

}  // namespace gradc
