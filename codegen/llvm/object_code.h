// Loop kernels to object code and text.
#pragma once
#include <span>
#include <string>

#include "codegen/llvm/target.h"
#include "codegen/load_kernels.h"
#include "codegen/loop.h"

namespace gradc {

/// ELF objects in which kernel i is the function kernel_symbol(i); made on up to two threads.
/// Throws InternalError if LLVM refuses a kernel.
KernelObjects compile_objects(std::span<const loop::Kernel> kernels, const Target& target);

/// For people: functions have the kernels' names with their positions.
std::string assembly_text(std::span<const loop::Kernel> kernels, const Target& target);
/// Before code generation, after the passes.
std::string llvm_text(std::span<const loop::Kernel> kernels, const Target& target);

}  // namespace gradc
