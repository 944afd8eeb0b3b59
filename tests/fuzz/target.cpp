// Which refusals are right.
#include "tests/fuzz/target.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/core/error.h"

namespace gradc::fuzz {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

void run(const Target& target, std::span<const std::byte> bytes) {
  try {
    target.run(bytes);
  } catch (const Error& refusal) {
    const bool blames_input = refusal.exit_code() == ExitCode::ModelOrData ||
                              refusal.exit_code() == ExitCode::InputOutput ||
                              refusal.exit_code() == ExitCode::Usage;
    if (blames_input && !std::string_view(refusal.what()).empty()) return;
    std::fprintf(stderr, "refused with exit code %d: %s\n", static_cast<int>(refusal.exit_code()),
                 refusal.what());
    std::abort();
  }
}

}  // namespace gradc::fuzz
