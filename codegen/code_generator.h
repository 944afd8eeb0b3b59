// The door to LLVM: code generation lives in a shared object of its own, which is opened at the
// first kernel that is not in the cache, so that other runs do not pay for loading LLVM.
#pragma once
#include <span>
#include <string>

#include "codegen/artefact_code.h"
#include "codegen/load_kernels.h"
#include "codegen/loop.h"

namespace gradc {

struct CodeGenerator {
  /// Code for the host; kernel i is the function kernel_symbol(i).
  KernelObjects (*objects)(std::span<const loop::Kernel> kernels);
  /// LLVM IR and assembly as text, for dumps.
  std::string (*llvm_text)(std::span<const loop::Kernel> kernels);
  std::string (*assembly_text)(std::span<const loop::Kernel> kernels);
  /// Relocatable ELF objects that export gradc_model_NAME and, where asked for, main: one, or
  /// several that are to be linked together, made on as many threads.
  std::vector<std::string> (*artefact_objects)(const ArtefactCode& code, size_t count);
  /// The kernels of the first target as LLVM IR or as assembly.
  std::string (*artefact_text)(const ArtefactCode& code, bool as_assembly);
};

/// Throws Error (InputOutput, E0924) where the shared object is missing or of another build.
const CodeGenerator& code_generator();

}  // namespace gradc

/// What the shared object exports; null where `build_id` is not its own.
extern "C" const gradc::CodeGenerator* gradc_code_generator(const char* build_id);
