// One loop kernel as one LLVM function with the signature of KernelFunction.
#pragma once
#include <string>

#include "codegen/llvm/target.h"
#include "codegen/loop.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace gradc {

/// Adds the function `symbol` to `module`. A kernel that breaks a rule of the loop IR is a bug of
/// the caller's (InternalError).
void emit_kernel(const loop::Kernel& kernel, const std::string& symbol, const Target& target,
                 llvm::Module& module);

}  // namespace gradc
