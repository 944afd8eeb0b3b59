// CPUID. Leaf numbers are those of Intel's and AMD's manuals.
#include "runtime/processor.h"

#include <cpuid.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gradc {
namespace {

/// Registers that the operating system must save: SSE and AVX; and of AVX-512 the masks, the upper
/// halves and the upper sixteen.
constexpr unsigned kSavesAvx = 0x6;
constexpr unsigned kSavesAvx512 = 0xE6;
constexpr unsigned kHasSavedState = 1U << 27;

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

/// Intel's Software Developer's Manual, volume 2, CPUID; AMD's Programmer's Manual, volume 3.
constexpr ProcessorFeature kTable[] = {
    {"sse3", 1, 0, 'c', 0},
    {"pclmul", 1, 0, 'c', 1},
    {"ssse3", 1, 0, 'c', 9},
    {"fma", 1, 0, 'c', 12},
    {"cx16", 1, 0, 'c', 13},
    {"sse4.1", 1, 0, 'c', 19},
    {"sse4.2", 1, 0, 'c', 20},
    {"movbe", 1, 0, 'c', 22},
    {"popcnt", 1, 0, 'c', 23},
    {"aes", 1, 0, 'c', 25},
    {"avx", 1, 0, 'c', 28},
    {"f16c", 1, 0, 'c', 29},
    {"bmi", 7, 0, 'b', 3},
    {"avx2", 7, 0, 'b', 5},
    {"bmi2", 7, 0, 'b', 8},
    {"avx512f", 7, 0, 'b', 16},
    {"avx512dq", 7, 0, 'b', 17},
    {"adx", 7, 0, 'b', 19},
    {"avx512ifma", 7, 0, 'b', 21},
    {"avx512cd", 7, 0, 'b', 28},
    {"avx512bw", 7, 0, 'b', 30},
    {"avx512vl", 7, 0, 'b', 31},
    {"avx512vbmi", 7, 0, 'c', 1},
    {"avx512vbmi2", 7, 0, 'c', 6},
    {"gfni", 7, 0, 'c', 8},
    {"vaes", 7, 0, 'c', 9},
    {"vpclmulqdq", 7, 0, 'c', 10},
    {"avx512vnni", 7, 0, 'c', 11},
    {"avx512bitalg", 7, 0, 'c', 12},
    {"avx512vpopcntdq", 7, 0, 'c', 14},
    {"avx512vp2intersect", 7, 0, 'd', 8},
    {"avx512fp16", 7, 0, 'd', 23},
    {"avxvnni", 7, 1, 'a', 4},
    {"avx512bf16", 7, 1, 'a', 5},
    {"avxifma", 7, 1, 'a', 23},
    {"sahf", 0x80000001, 0, 'c', 0},
    {"lzcnt", 0x80000001, 0, 'c', 5},
    {"sse4a", 0x80000001, 0, 'c', 6},
    {"fma4", 0x80000001, 0, 'c', 16},
    {"xop", 0x80000001, 0, 'c', 11},
    {"tbm", 0x80000001, 0, 'c', 21},
};

bool has_bit(const ProcessorFeature& feature) {
  const Registers r = ask(feature.leaf, feature.subleaf);
  const unsigned words[] = {r.a, r.b, r.c, r.d};
  return (words[feature.register_name - 'a'] >> feature.bit & 1U) != 0;
}

/// What XGETBV tells of register sets; 0 where there is no such instruction.
unsigned saved_state() {
  if ((ask(kFeatures).c & kHasSavedState) == 0) return 0;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool saves_registers(std::string_view name) {
  static const unsigned saved = saved_state();
  const auto starts = [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  };
  if (starts("avx512")) return (saved & kSavesAvx512) == kSavesAvx512;
  const bool needs_avx = starts("avx") || starts("fma") || name == "f16c" || name == "xop" ||
                         name == "vaes" || name == "vpclmulqdq";
  return !needs_avx || (saved & kSavesAvx) == kSavesAvx;
}

#define GRADC_LEVEL_2 "cx16,popcnt,sahf,sse3,sse4.1,sse4.2,ssse3"
#define GRADC_LEVEL_3 GRADC_LEVEL_2 ",avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe"
/// System V psABI for x86-64, section 3.1.1.
constexpr ProcessorLevel kLevels[] = {
    {"x86-64-v2", GRADC_LEVEL_2, 4},
    {"x86-64-v3", GRADC_LEVEL_3, 8},
    {"x86-64-v4", GRADC_LEVEL_3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl", 16},
};
#undef GRADC_LEVEL_2
#undef GRADC_LEVEL_3

}  // namespace

std::span<const ProcessorFeature> processor_features() { return kTable; }

bool has_feature(std::string_view name) {
  // Asking once: the instruction may leave a virtual machine, which takes microseconds.
  static const std::vector<std::string_view> present = [] {
    std::vector<std::string_view> names;
    for (const ProcessorFeature& feature : kTable)
      if (has_bit(feature) && saves_registers(feature.name)) names.push_back(feature.name);
    return names;
  }();
  return std::find(present.begin(), present.end(), name) != present.end();
}

std::vector<std::string> missing_features(std::string_view features) {
  std::vector<std::string> missing;
  while (!features.empty()) {
    const size_t end = std::min(features.find(','), features.size());
    const std::string_view name = features.substr(0, end);
    if (!name.empty() && !has_feature(name)) missing.emplace_back(name);
    features.remove_prefix(std::min(end + 1, features.size()));
  }
  return missing;
}

std::span<const ProcessorLevel> processor_levels() { return kLevels; }

bool host_has_avx512() { return missing_features("avx512f,avx512bw,avx512dq,avx512vl").empty(); }

int vector_lanes() { return host_has_avx512() ? 16 : has_feature("avx2") ? 8 : 4; }

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
