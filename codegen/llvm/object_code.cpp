// The short pipeline: we emit SSA, vectors and hoisted addresses ourselves, so common
// subexpressions are all that is left to clean up before instruction selection.
#include "codegen/llvm/object_code.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Pass.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Scalar.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "codegen/llvm/emit_kernel.h"
#include "runtime/core/error.h"

namespace gradc {
namespace {

/// Below this many kernels a second thread does not pay.
constexpr size_t kKernelsWorthAThread = 4;

/// A kernel and the name of its function.
struct NamedKernel {
  const loop::Kernel* kernel;
  std::string symbol;
};

/// The small code model: a program's code and constants are one mapping of less than 2 GiB.
std::unique_ptr<llvm::TargetMachine> make_machine(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  std::string fault;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, fault);
  CHECK(found != nullptr, "no code generator for {}: {}", target.triple, fault);
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
      target.triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  CHECK(machine != nullptr, "no code generator for {}", target.cpu);
  return machine;
}

/// A module with its context and machine.
struct Compilation {
  Compilation(std::span<const NamedKernel> kernels, const Target& target)
      : machine(make_machine(target)), module("kernels", context) {
    module.setTargetTriple(target.triple);
    module.setDataLayout(machine->createDataLayout());
    for (const NamedKernel& kernel : kernels)
      emit_kernel(*kernel.kernel, kernel.symbol, target, module);
  }

  /// What the target can do comes first: a pass that asks for it and finds nothing gets an answer
  /// for no target, which then holds for all passes and turns masked accesses into branches.
  void add_cleanup(llvm::legacy::PassManager& passes) const {
    passes.add(llvm::createTargetTransformInfoWrapperPass(machine->getTargetIRAnalysis()));
    passes.add(llvm::createEarlyCSEPass());
  }

  void write(llvm::raw_pwrite_stream& out, llvm::CodeGenFileType type) {
    llvm::legacy::PassManager passes;
    add_cleanup(passes);
    const bool is_refused = machine->addPassesToEmitFile(passes, out, nullptr, type);
    CHECK(!is_refused, "no object code for this target");
    passes.run(module);
  }

  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::Module module;
};

std::vector<NamedKernel> named(std::span<const loop::Kernel> kernels) {
  std::vector<NamedKernel> result;
  for (const loop::Kernel& kernel : kernels)
    result.push_back({&kernel, fmt::format("{}.{}", kernel.name, result.size())});
  return result;
}

/// Each call has its own LLVM context, so calls may run in different threads.
std::string object_code(const std::vector<NamedKernel>& kernels, const Target& target) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream out(bytes);
  Compilation(kernels, target).write(out, llvm::CodeGenFileType::ObjectFile);
  return bytes.str().str();
}

/// Statements, as a measure of the time a kernel takes to compile.
size_t statement_count(const std::vector<loop::Stmt>& body) {
  size_t count = body.size();
  for (const loop::Stmt& stmt : body)
    if (const auto* loop = std::get_if<loop::For>(&stmt)) count += statement_count(loop->body);
  return count;
}

/// Deals the kernels to two hands of about the same size: the largest first, each to the hand that
/// holds less.
std::pair<std::vector<NamedKernel>, std::vector<NamedKernel>> dealt(
    const std::vector<NamedKernel>& kernels) {
  std::vector<std::pair<size_t, const NamedKernel*>> by_size;
  for (const NamedKernel& kernel : kernels)
    by_size.emplace_back(statement_count(kernel.kernel->body), &kernel);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::pair<std::vector<NamedKernel>, std::vector<NamedKernel>> hands;
  size_t first_size = 0, second_size = 0;
  for (const auto& [size, kernel] : by_size) {
    const bool to_first = first_size <= second_size;
    (to_first ? first_size : second_size) += size;
    (to_first ? hands.first : hands.second).push_back(*kernel);
  }
  return hands;
}

}  // namespace

KernelObjects compile_objects(std::span<const loop::Kernel> kernels, const Target& target) {
  if (kernels.empty()) return {};
  std::vector<NamedKernel> symbols;
  for (const loop::Kernel& kernel : kernels)
    symbols.push_back({&kernel, kernel_symbol(symbols.size())});
  if (kernels.size() < kKernelsWorthAThread) return {object_code(symbols, target)};
  const auto [here, there] = dealt(symbols);
  auto other = std::async(std::launch::async,
                          [&kernels = there, &target] { return object_code(kernels, target); });
  std::string first = object_code(here, target);
  return {std::move(first), other.get()};
}

std::string assembly_text(std::span<const loop::Kernel> kernels, const Target& target) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  Compilation(named(kernels), target).write(out, llvm::CodeGenFileType::AssemblyFile);
  return text.str().str();
}

std::string llvm_text(std::span<const loop::Kernel> kernels, const Target& target) {
  Compilation compilation(named(kernels), target);
  llvm::legacy::PassManager passes;
  compilation.add_cleanup(passes);
  passes.run(compilation.module);
  std::string text;
  llvm::raw_string_ostream out(text);
  compilation.module.print(out, nullptr);
  return text;
}

}  // namespace gradc
