// Object code made on up to two threads, loaded into the process by ORC.
#include "codegen/llvm/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>

#include <future>

#include "codegen/llvm/object_code.h"

namespace gradc {
namespace {

using Objects = std::vector<std::unique_ptr<llvm::MemoryBuffer>>;

/// Below this many kernels a second thread does not pay.
constexpr size_t kKernelsWorthAThread = 4;

template <typename T>
T checked(llvm::Expected<T> value) {
  CHECK(static_cast<bool>(value), "LLVM: {}", llvm::toString(value.takeError()));
  return std::move(*value);
}
void checked(llvm::Error error) { CHECK(!error, "LLVM: {}", llvm::toString(std::move(error))); }

/// Symbols are the kernels' names with their positions, as names may repeat.
std::vector<NamedKernel> named(std::span<const loop::Kernel> kernels) {
  std::vector<NamedKernel> result;
  for (const loop::Kernel& kernel : kernels)
    result.push_back({&kernel, fmt::format("{}.{}", kernel.name, result.size())});
  return result;
}

/// Statements, as a measure of the time a kernel takes to compile.
size_t statement_count(const std::vector<loop::Stmt>& body) {
  size_t count = body.size();
  for (const loop::Stmt& stmt : body)
    if (const auto* loop = std::get_if<loop::For>(&stmt)) count += statement_count(loop->body);
  return count;
}

/// Deals the kernels to two hands of about the same size, each kernel to the smaller one.
std::pair<std::vector<NamedKernel>, std::vector<NamedKernel>> dealt(
    const std::vector<NamedKernel>& kernels) {
  std::pair<std::vector<NamedKernel>, std::vector<NamedKernel>> hands;
  size_t first_size = 0, second_size = 0;
  for (const NamedKernel& kernel : kernels) {
    const bool to_first = first_size <= second_size;
    (to_first ? first_size : second_size) += statement_count(kernel.kernel->body);
    (to_first ? hands.first : hands.second).push_back(kernel);
  }
  return hands;
}

Objects compile_objects(const std::vector<NamedKernel>& kernels, const Target& target) {
  Objects objects;
  if (kernels.size() < kKernelsWorthAThread) {
    objects.push_back(object_code(kernels, target));
    return objects;
  }
  const auto [here, there] = dealt(kernels);
  auto other = std::async(std::launch::async,
                          [&kernels = there, &target] { return object_code(kernels, target); });
  objects.push_back(object_code(here, target));
  objects.push_back(other.get());
  return objects;
}

std::unique_ptr<llvm::orc::LLJIT> make_jit(const Target& target) {
  llvm::orc::JITTargetMachineBuilder machine{llvm::Triple(target.triple)};
  llvm::orc::LLJITBuilder builder;
  builder.setJITTargetMachineBuilder(std::move(machine))
      .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
      .setLinkProcessSymbolsByDefault(target.calls_libm);
  return checked(builder.create());
}

}  // namespace

CompiledKernels compile_kernels(std::span<const loop::Kernel> kernels) {
  return compile_kernels(kernels, host_target());
}

CompiledKernels compile_kernels(std::span<const loop::Kernel> kernels, const Target& target) {
  if (kernels.empty()) return {};
  const std::vector<NamedKernel> symbols = named(kernels);
  Objects objects = compile_objects(symbols, target);
  std::shared_ptr<llvm::orc::LLJIT> jit = make_jit(target);
  for (auto& object : objects) checked(jit->addObjectFile(std::move(object)));
  CompiledKernels compiled;
  for (const NamedKernel& kernel : symbols) {
    const llvm::orc::ExecutorAddr address = checked(jit->lookup(kernel.symbol));
    compiled.functions.push_back(address.toPtr<KernelFunction>());
  }
  compiled.code = jit;
  return compiled;
}

std::string kernels_as_llvm(std::span<const loop::Kernel> kernels) {
  return llvm_text(named(kernels), host_target());
}

std::string kernels_as_assembly(std::span<const loop::Kernel> kernels) {
  return assembly_text(named(kernels), host_target());
}

}  // namespace gradc
