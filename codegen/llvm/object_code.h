// Loop kernels to LLVM modules, text and object code.
#pragma once
#include <llvm/Support/MemoryBuffer.h>

#include <memory>
#include <span>
#include <string>

#include "codegen/llvm/target.h"
#include "codegen/loop.h"

namespace gradc {

/// A kernel and the name of its function.
struct NamedKernel {
  const loop::Kernel* kernel;
  std::string symbol;
};

/// An ELF object with one function for each kernel. Each call has its own LLVM context, so calls
/// may run in different threads. Throws InternalError.
std::unique_ptr<llvm::MemoryBuffer> object_code(std::span<const NamedKernel> kernels,
                                                const Target& target);
std::string assembly_text(std::span<const NamedKernel> kernels, const Target& target);
/// Before code generation, after the passes.
std::string llvm_text(std::span<const NamedKernel> kernels, const Target& target);

}  // namespace gradc
