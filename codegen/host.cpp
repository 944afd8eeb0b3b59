// CPUID. Leaf numbers are those of Intel's and AMD's manuals.
#include "codegen/host.h"

#include <cpuid.h>
#include <fmt/format.h>

#include <array>
#include <cstring>

namespace gradc {
namespace {

constexpr unsigned kFeatures = 1;
constexpr unsigned kExtendedFeatures = 7;
constexpr unsigned kOtherFeatures = 0x80000001;
constexpr unsigned kFirstNameLeaf = 0x80000002;
constexpr unsigned kNameLeaves = 3;

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

/// Zeros where the processor has no such leaf.
Registers ask(unsigned leaf, unsigned subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

std::string model_name() {
  std::array<char, kNameLeaves * sizeof(Registers) + 1> text{};
  for (unsigned i = 0; i < kNameLeaves; ++i) {
    const Registers r = ask(kFirstNameLeaf + i);
    std::memcpy(&text[i * sizeof(Registers)], &r, sizeof(r));
  }
  std::string name(text.data());
  const size_t first = name.find_first_not_of(' ');
  if (first == std::string::npos) return "x86-64";
  return name.substr(first, name.find_last_not_of(' ') + 1 - first);
}

}  // namespace

bool host_has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

int vector_lanes() { return host_has_avx512() ? 16 : __builtin_cpu_supports("avx2") ? 8 : 4; }

std::string target_description() {
  const char* vectors = vector_lanes() == 16 ? "avx512f" : vector_lanes() == 8 ? "avx2" : "sse2";
  return fmt::format("{}, {}, {} lanes", model_name(), vectors, vector_lanes());
}

std::string host_fingerprint() {
  // Of leaf 1, register b holds the number of the core.
  const Registers features = ask(kFeatures);
  std::string text = fmt::format("{} {:x} {:x} {:x} {}", model_name(), features.a, features.c,
                                 features.d, vector_lanes());
  for (const unsigned subleaf : {0U, 1U}) {
    const Registers r = ask(kExtendedFeatures, subleaf);
    text += fmt::format(" {:x} {:x} {:x} {:x}", r.a, r.b, r.c, r.d);
  }
  const Registers other = ask(kOtherFeatures);
  return text + fmt::format(" {:x} {:x}", other.c, other.d);
}

}  // namespace gradc
