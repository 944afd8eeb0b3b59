// Kernels compiled in this process, without the cache.
#pragma once
#include "codegen/llvm/object_code.h"

namespace gradc {

inline CompiledKernels compile_kernels(std::span<const loop::Kernel> kernels,
                                       const Target& target = host_target()) {
  return load_kernels(compile_objects(kernels, target), kernels.size());
}

}  // namespace gradc
