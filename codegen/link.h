// Linking: objects and the runtime become a program or a library.
#pragma once
#include <string>
#include <vector>

#include "codegen/artefact.h"

namespace gradc {

struct LinkRequest {
  std::vector<std::string> objects;  // contents
  ArtefactKind kind = ArtefactKind::Executable;
  bool is_static = false;      // no shared library at all
  bool calls_library = false;  // oneDNN
  std::string output;          // a path
};

/// Runs `cc` from the path, or `ld.lld` where there is no cc. The output appears complete or not at
/// all. Objects are joined to one by a linker too; a single one is written as it is. Throws Error
/// (InputOutput): E0929 where there is no linker, E0930 where the runtime library is not beside
/// gradc, E0931 with what the linker says.
void link(const LinkRequest& request);

}  // namespace gradc
