// A model's kernels with the table that finds them, as objects for a linker.
#pragma once
#include <string>
#include <vector>

#include "codegen/artefact_code.h"

namespace gradc {

/// See CodeGenerator. Throws Error (Usage) for an unknown target.
std::vector<std::string> artefact_objects(const ArtefactCode& code, size_t count);
std::string artefact_text(const ArtefactCode& code, bool as_assembly);

}  // namespace gradc
