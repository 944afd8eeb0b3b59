// One LLVM module on its way to code, with its context and machine.
#pragma once
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

#include "codegen/llvm/target.h"

namespace gradc {

/// Each has its own LLVM context, so several may be at work in different threads. The functions
/// that give code or text run the passes on the module: only one of them, once.
struct Compilation {
  explicit Compilation(const Target& target);

  /// A relocatable ELF object: position-independent, small code model.
  std::string object() { return code(llvm::CodeGenFileType::ObjectFile); }
  std::string assembly() { return code(llvm::CodeGenFileType::AssemblyFile); }
  /// LLVM IR before instruction selection.
  std::string text();

  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::Module module;

 private:
  void add_cleanup(llvm::legacy::PassManager& passes) const;
  std::string code(llvm::CodeGenFileType type);
};

}  // namespace gradc
