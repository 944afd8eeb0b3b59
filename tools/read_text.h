// The whole of a text file, or of stdin.
#pragma once
#include <string>

namespace gradc {

/// `path` may be "-": the same text at each call. Throws Error: InputOutput, E0911 where it cannot
/// be read; ModelOrData, E0106 where it holds more than 1 GiB (a dumped graph with large constants
/// is the largest text there is).
std::string read_text(const std::string& path);

}  // namespace gradc
