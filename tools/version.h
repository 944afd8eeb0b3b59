// The version as `gradc --version` prints it.
#pragma once
#include <string>

namespace gradc {

/// "gradc 0.1.0 (AMD EPYC 9B14, avx512f, 16 lanes)".
std::string version_text();
/// "gradc 0.1.0".
std::string version_number();
/// The same with what it is built on: "gradc 0.1.0 (LLVM 19.1.4, oneDNN 2.6.3)".
std::string version_with_libraries();

}  // namespace gradc
