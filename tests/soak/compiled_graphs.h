// Several fused graphs compiled in one go, as the machine code of kernels is what takes the time.
#pragma once
#include "codegen/compile.h"
#include "tests/random_source.h"

namespace gradc::testing {

class CompiledGraphs {
 public:
  /// Lowers the graph; returns its number. Throws what lowering throws.
  size_t add(const Graph& fused, Backend backend);
  /// Machine code for all that were added.
  void compile();
  std::shared_ptr<const Program> program(size_t number) const { return programs_[number]; }
  /// Forgets the programs; kernels are kept for those that come, up to kMostKernels.
  void next_batch();
  size_t kernel_count() const { return kernels_; }

 private:
  static constexpr size_t kMostKernels = 20000;

  KernelPool pool_;
  size_t kernels_ = 0;         // compiled since the beginning
  size_t compiled_count_ = 0;  // of those in the pool
  std::map<std::string, KernelFunction> functions_;
  std::vector<std::shared_ptr<void>> code_;
  std::vector<std::shared_ptr<Program>> programs_;
};

/// Outputs of the program on copies of the inputs, in memory full of old bytes; what is updated in
/// place comes from there. CHECKs that nothing else is written into inputs, and that a second run
/// on the same inputs in other memory gives the same bits. With `threads` above 1 every kernel is
/// cut into parts.
std::vector<Tensor> run_program(std::shared_ptr<const Program> program,
                                std::span<const Tensor> inputs, int threads);

}  // namespace gradc::testing
