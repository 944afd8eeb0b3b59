// The processor that code is made for.
#pragma once
#include <string>

namespace gradc {

struct Target {
  std::string label;     // for people: "x86-64-v4", "native (znver4)"
  std::string required;  // of processor_features(), with commas between
  std::string triple;
  std::string cpu;       // LLVM's name: "znver4"
  std::string features;  // "+avx2,+fma,..."
  int lanes;             // f32 lanes of a vector: 16, 8 or 4
  bool has_avx512;       // foundation: 512-bit vectors, masks, vscalef
  /// Some float operation would become a call of the mathematical library (no fma or no SSE 4.1).
  bool calls_libm;
};

/// The machine this process runs on.
const Target& host_target();

/// A level of the x86-64 psABI: 1, 2, 3 (AVX2) or 4 (AVX-512).
Target x86_level(int level);
/// "native", or the name of a level: "x86-64-v3". Throws Error (Usage) for another name.
Target find_target(const std::string& name);

}  // namespace gradc
