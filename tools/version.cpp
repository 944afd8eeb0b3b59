// Version and code generation target.
#include "tools/version.h"

#include <fmt/core.h>

#include "runtime/processor.h"

namespace gradc {

std::string version_number() { return fmt::format("gradc {}", GRADC_VERSION); }

std::string version_with_libraries() {
  return fmt::format("{} ({})", version_number(), GRADC_LIBRARIES);
}

std::string version_text() {
  return fmt::format("{} ({})", version_number(), target_description());
}

}  // namespace gradc
