// The short pipeline: we emit SSA, vectors and hoisted addresses ourselves, so common
// subexpressions are all that is left to clean up before instruction selection.
#include "codegen/llvm/compilation.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Pass.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Transforms/Scalar.h>

#include <mutex>

#include "runtime/core/error.h"

namespace gradc {
namespace {

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

}  // namespace

Compilation::Compilation(const Target& target)
    : machine(make_machine(target)), module("kernels", context) {
  module.setTargetTriple(target.triple);
  module.setDataLayout(machine->createDataLayout());
}

/// What the target can do comes first: a pass that asks for it and finds nothing gets an answer
/// for no target, which then holds for all passes and turns masked accesses into branches.
void Compilation::add_cleanup(llvm::legacy::PassManager& passes) const {
  passes.add(llvm::createTargetTransformInfoWrapperPass(machine->getTargetIRAnalysis()));
  passes.add(llvm::createEarlyCSEPass());
}

std::string Compilation::code(llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  add_cleanup(passes);
  const bool is_refused = machine->addPassesToEmitFile(passes, out, nullptr, type);
  CHECK(!is_refused, "no object code for this target");
  passes.run(module);
  return bytes.str().str();
}

std::string Compilation::text() {
  llvm::legacy::PassManager passes;
  add_cleanup(passes);
  passes.run(module);
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

}  // namespace gradc
