// Kernels as objects of their own, for code that is loaded at once.
#include "codegen/llvm/object_code.h"

#include <future>

#include "codegen/llvm/compilation.h"
#include "codegen/llvm/deal_kernels.h"
#include "codegen/llvm/emit_kernel.h"

namespace gradc {
namespace {

/// Below this many kernels a second thread does not pay.
constexpr size_t kKernelsWorthAThread = 4;

/// A kernel and the name of its function.
struct NamedKernel {
  const loop::Kernel* kernel;
  std::string symbol;
};

/// A module of kernels.
struct Kernels : Compilation {
  Kernels(std::span<const NamedKernel> kernels, const Target& target) : Compilation(target) {
    for (const NamedKernel& kernel : kernels)
      emit_kernel(*kernel.kernel, kernel.symbol, target, module);
  }
};

std::vector<NamedKernel> named(std::span<const loop::Kernel> kernels) {
  std::vector<NamedKernel> result;
  for (const loop::Kernel& kernel : kernels)
    result.push_back({&kernel, fmt::format("{}.{}", kernel.name, result.size())});
  return result;
}

/// Each call has its own LLVM context, so calls may run in different threads.
std::string object_code(const std::vector<NamedKernel>& kernels, const Target& target) {
  return Kernels(kernels, target).object();
}

}  // namespace

KernelObjects compile_objects(std::span<const loop::Kernel> kernels, const Target& target) {
  if (kernels.empty()) return {};
  std::vector<NamedKernel> symbols;
  for (const loop::Kernel& kernel : kernels)
    symbols.push_back({&kernel, kernel_symbol(symbols.size())});
  if (kernels.size() < kKernelsWorthAThread) return {object_code(symbols, target)};
  const std::vector<std::vector<size_t>> hands = deal(kernels, 2);
  const auto compile_hand = [&](const std::vector<size_t>& hand) {
    std::vector<NamedKernel> held;
    for (const size_t place : hand) held.push_back(symbols[place]);
    return object_code(held, target);
  };
  auto other = std::async(std::launch::async, compile_hand, hands[1]);
  std::string first = compile_hand(hands[0]);
  return {std::move(first), other.get()};
}

std::string assembly_text(std::span<const loop::Kernel> kernels, const Target& target) {
  return Kernels(named(kernels), target).assembly();
}

std::string llvm_text(std::span<const loop::Kernel> kernels, const Target& target) {
  return Kernels(named(kernels), target).text();
}

}  // namespace gradc
