// The short pipeline: we emit SSA, vectors and hoisted addresses ourselves, so common
// subexpressions are all that is left to clean up before instruction selection.
#include "codegen/llvm/object_code.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Pass.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Scalar.h>

#include <mutex>

#include "codegen/llvm/emit_kernel.h"
#include "runtime/core/error.h"

namespace gradc {
namespace {

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
      std::nullopt, llvm::CodeGenOptLevel::Default, true));
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

}  // namespace

std::unique_ptr<llvm::MemoryBuffer> object_code(std::span<const NamedKernel> kernels,
                                                const Target& target) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  Compilation(kernels, target).write(out, llvm::CodeGenFileType::ObjectFile);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), false);
}

std::string assembly_text(std::span<const NamedKernel> kernels, const Target& target) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  Compilation(kernels, target).write(out, llvm::CodeGenFileType::AssemblyFile);
  return text.str().str();
}

std::string llvm_text(std::span<const NamedKernel> kernels, const Target& target) {
  Compilation compilation(kernels, target);
  llvm::legacy::PassManager passes;
  compilation.add_cleanup(passes);
  passes.run(compilation.module);
  std::string text;
  llvm::raw_string_ostream out(text);
  compilation.module.print(out, nullptr);
  return text;
}

}  // namespace gradc
