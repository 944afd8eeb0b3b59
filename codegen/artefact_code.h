// All kernels of a model, to be made into an object that is linked into somebody's program.
#pragma once
#include <string>
#include <vector>

#include "codegen/loop.h"

namespace gradc {

struct ArtefactCode {
  std::string name;  // of the model, as a C identifier
  std::vector<loop::Kernel> kernels;
  std::string facts;  // a ModelFacts with these kernels, archived
  /// "native" or levels of the psABI ("x86-64-v3"), the most demanding first: code for each.
  std::vector<std::string> targets;
  bool calls_library = false;
  bool has_main = false;  // main() runs the commands of a built program
};

}  // namespace gradc
