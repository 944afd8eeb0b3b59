// The processor this process runs on, as far as generated code depends on it. Asks the processor
// itself, so that nothing of LLVM is needed.
#pragma once
#include <string>

namespace gradc {

/// Foundation, byte and word, double and quad word, and vector length: 512-bit vectors and masks.
bool host_has_avx512();

/// f32 lanes of a vector on the host (W of the loop IR): 16, 8 or 4.
int vector_lanes();

/// "AMD EPYC 9B14, avx512f, 16 lanes": what code is made for.
std::string target_description();

/// Differs between processors that code generation may tell apart: the model and every feature bit.
std::string host_fingerprint();

}  // namespace gradc
