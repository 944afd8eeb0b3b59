// Files that lie, made the same on every machine: nothing of them may be believed.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace gradc {

struct HostileFile {
  /// Of the file, with the ending that its format goes by; unique.
  std::string name;
  std::string bytes;
};

/// What one command reads, and the files for it. `arguments` makes the command line for a path.
struct HostileFormat {
  std::string name;
  std::function<std::vector<std::string>(const std::string& path)> arguments;
  std::vector<HostileFile> files;
};

std::vector<HostileFormat> hostile_formats();

}  // namespace gradc
