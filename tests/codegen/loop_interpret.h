// A slow executor of the loop IR, written from the description in codegen/loop.h: what machine code
// must compute. Lets lowering be tested without LLVM.
#pragma once
#include <span>

#include "codegen/lower_group.h"

namespace gradc::testing {

/// Runs iterations [begin, end) of the kernel's parallel loop with vectors of kLanes elements.
void interpret_kernel(const loop::Kernel& kernel, std::span<Tensor> buffers, int64_t begin,
                      int64_t end);
inline constexpr int64_t kLanes = 16;

/// Runs all kernels of a group, the parallel loop of each in pieces as of several threads, the last
/// piece first. Results start as 77 everywhere (or true). Where `in_place` is a pair of the group,
/// that result takes the memory of a copy of that operand.
std::vector<Tensor> run_group(const Graph& body, std::span<const Tensor> operands,
                              const std::pair<int32_t, int32_t>* in_place = nullptr);

/// Runs a fused graph: groups through their loops (those of kind `ordered`, which have none, by the
/// interpreter), views and constants as they are.
std::vector<Tensor> run_fused(const Graph& fused, std::span<const Tensor> inputs);

}  // namespace gradc::testing
