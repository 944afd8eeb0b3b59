// Machine code for loop kernels, through LLVM. The only folder that names LLVM; this header does
// not.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codegen/loop.h"
#include "runtime/program.h"

namespace gradc {

struct Target;

/// Compiled kernels; the functions live as long as this does.
struct CompiledKernels {
  std::vector<KernelFunction> functions;  // in the order of the kernels given
  std::shared_ptr<void> code;
};

/// Compiles for the host. Throws InternalError if LLVM refuses a kernel.
CompiledKernels compile_kernels(std::span<const loop::Kernel> kernels);
/// The same with the instructions of another machine, which the host must have too.
CompiledKernels compile_kernels(std::span<const loop::Kernel> kernels, const Target& target);

/// LLVM IR and assembly of the kernels as text, for dumps.
std::string kernels_as_llvm(std::span<const loop::Kernel> kernels);
std::string kernels_as_assembly(std::span<const loop::Kernel> kernels);

/// f32 lanes of a vector on the host (W of the loop IR): 16, 8 or 4.
int vector_lanes();

/// "znver4, avx512f, 16 lanes": what the code was made for.
std::string target_description();

}  // namespace gradc
