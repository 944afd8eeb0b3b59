// The processor this process runs on, as far as generated code depends on it. Asks the processor
// itself, so that nothing of LLVM is needed.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradc {

/// A feature under LLVM's name, and the bit of CPUID that tells it.
struct ProcessorFeature {
  std::string_view name;  // "avx512f"
  unsigned leaf, subleaf;
  char register_name;  // 'a' to 'd'
  unsigned bit;
};

/// Those that code generation for a program may make use of.
std::span<const ProcessorFeature> processor_features();
/// Of this processor, and the operating system saves the registers it needs. False for a name that
/// is not in the table.
bool has_feature(std::string_view name);
/// The names of `features` (with commas between) that this processor does not have, in their order.
std::vector<std::string> missing_features(std::string_view features);

/// A level of the x86-64 psABI; the features of the levels below are among them.
struct ProcessorLevel {
  std::string_view name;      // "x86-64-v3"
  std::string_view features;  // with commas between
  int lanes;                  // f32 lanes of a vector
};
/// x86-64-v2, -v3, -v4.
std::span<const ProcessorLevel> processor_levels();

/// Foundation, byte and word, double and quad word, and vector length: 512-bit vectors and masks.
bool host_has_avx512();

/// f32 lanes of a vector on the host (W of the loop IR): 16, 8 or 4.
int vector_lanes();

/// "AMD EPYC 9B14, avx512f, 16 lanes": what code is made for.
std::string target_description();

/// Differs between processors that code generation may tell apart: the model and every feature bit.
std::string host_fingerprint();

}  // namespace gradc
