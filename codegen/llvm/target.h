// The processor that code is made for.
#pragma once
#include <string>

namespace gradc {

struct Target {
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

/// A level of the x86-64 psABI: 1, 3 (AVX2) or 4 (AVX-512). For tests of code for other machines.
Target x86_level(int level);

}  // namespace gradc
