// A fuzz target: what is done with any bytes at all.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace gradc::fuzz {

struct Target {
  std::string_view name;
  /// May throw Error, which refuses the bytes; anything else that happens is a finding.
  void (*run)(std::span<const std::byte> bytes);
};

/// Those that are linked into the program.
std::vector<Target>& targets();

/// Runs a target on one input. Refusals end here; they must say something and blame the input.
void run(const Target& target, std::span<const std::byte> bytes);

struct Registration {
  explicit Registration(const Target& target) { targets().push_back(target); }
};

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace gradc::fuzz

/// FUZZ_TARGET(name) { … `bytes` … }
#define FUZZ_TARGET(target_name)                                       \
  static void run_##target_name(std::span<const std::byte> bytes);     \
  static const ::gradc::fuzz::Registration registration_##target_name( \
      {#target_name, run_##target_name});                              \
  static void run_##target_name(std::span<const std::byte> bytes)
