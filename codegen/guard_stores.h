// Kernels that tell when a value they store is no finite number.
#pragma once
#include <span>

#include "codegen/loop.h"

namespace gradc {

/// A buffer of a kernel that is watched.
struct GuardedBuffer {
  int32_t pointer;  // position among the buffers that the caller gives
  bool admits_infinity;
};

/// Every store into one of these buffers gets a guard. True where the kernel stores into one: it
/// then has one more buffer, the last, which the guards write into.
bool guard_stores(loop::Kernel& kernel, std::span<const GuardedBuffer> guarded);

}  // namespace gradc
