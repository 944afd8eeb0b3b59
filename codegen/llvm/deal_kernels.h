// Kernels shared out to threads that compile them.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "codegen/loop.h"

namespace gradc {

/// Positions of kernels in `hands` hands of about the same work: the largest first, each to the
/// hand that holds least.
std::vector<std::vector<size_t>> deal(std::span<const loop::Kernel> kernels, size_t hands);

}  // namespace gradc
