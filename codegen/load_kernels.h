// Machine code of kernels, from objects to functions that can be called.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/program.h"

namespace gradc {

/// Relocatable objects, the kernels of a program spread over them.
using KernelObjects = std::vector<std::string>;

/// The name of the function of a program's kernel number `position`. The kernel's own name is no
/// part of it, as code is shared between kernels that differ in nothing else.
std::string kernel_symbol(size_t position);

/// Compiled kernels; the functions live as long as this does.
struct CompiledKernels {
  std::vector<KernelFunction> functions;  // in the order of the kernels given
  std::shared_ptr<void> code;
};

/// Throws Error (E0923) for objects that are not usable or lack one of the `count` kernels.
CompiledKernels load_kernels(const KernelObjects& objects, size_t count);

}  // namespace gradc
