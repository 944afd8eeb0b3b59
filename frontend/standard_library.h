// The standard library's text, embedded in the program when it is built.
#pragma once
#include <string>
#include <vector>

namespace gradc {

/// A named text: `name` is what diagnostics show.
struct SourceText {
  std::string name;
  std::string text;
};

/// Every file of frontend/std, named "std/FILE.grad".
const std::vector<SourceText>& standard_library();

}  // namespace gradc
