// How this process was called.
#pragma once
#include <string>
#include <vector>

namespace gradc {

/// Program and arguments.
std::vector<std::string> command_words();

}  // namespace gradc
