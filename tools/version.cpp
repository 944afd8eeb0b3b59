// Version and code generation target.
#include "tools/version.h"

#include <fmt/core.h>

#include "codegen/host.h"

namespace gradc {

std::string version_text() {
  return fmt::format("gradc {} ({})", GRADC_VERSION, target_description());
}

}  // namespace gradc
