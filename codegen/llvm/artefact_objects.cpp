// Kernels for every target, hidden; one table a target; the gradc_model that is exported.
#include "codegen/llvm/artefact_objects.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

#include <algorithm>
#include <future>
#include <map>

#include "codegen/llvm/compilation.h"
#include "codegen/llvm/deal_kernels.h"
#include "codegen/llvm/emit_kernel.h"
#include "runtime/archive.h"
#include "runtime/compiled_model.h"

namespace gradc {
namespace {

std::vector<Target> targets_of(const ArtefactCode& code) {
  std::vector<Target> targets;
  for (const std::string& name : code.targets) targets.push_back(find_target(name));
  return targets;
}

/// "mnist_mlp.dot_add_maximum"; behind it the name of the target but for the first.
std::string symbol_of(const ArtefactCode& code, size_t kernel, size_t target) {
  const std::string suffix = target == 0 ? "" : fmt::format(".{}", code.targets[target]);
  return fmt::format("{}.{}{}", code.name, code.kernels[kernel].name, suffix);
}

/// Emits what gradc_model, gradc_code and the tables behind them hold.
class TableEmitter {
 public:
  TableEmitter(const ArtefactCode& code, llvm::Module& module)
      : code_(code),
        module_(module),
        context_(module.getContext()),
        pointer_(llvm::PointerType::getUnqual(context_)) {}

  void emit(const std::vector<Target>& targets) {
    std::vector<llvm::Constant*> codes;
    for (size_t i = 0; i < targets.size(); ++i)
      codes.push_back(llvm::ConstantStruct::getAnon(
          {text(targets[i].label), text(targets[i].required), functions(i)}));
    llvm::Constant* facts = llvm::ConstantDataArray::getRaw(code_.facts, code_.facts.size(),
                                                            llvm::Type::getInt8Ty(context_));
    llvm::Constant* library = llvm::ConstantPointerNull::get(pointer_);
    if (code_.calls_library) library = external("onednn_calls_of_gradc");
    llvm::Constant* model = llvm::ConstantStruct::getAnon(
        {number(compiled_model_format(), 32), number(codes.size(), 32), array(codes, "codes"),
         hidden(facts, "facts", kArchiveAlignment), number(code_.facts.size(), 64), library});
    llvm::GlobalVariable* exported = global("gradc_model_" + code_.name, model->getType());
    exported->setInitializer(model);
    exported->setAlignment(llvm::Align(16));
    if (code_.has_main) emit_main(exported);
  }

 private:
  llvm::Constant* number(uint64_t value, unsigned bits) {
    return llvm::ConstantInt::get(llvm::Type::getIntNTy(context_, bits), value);
  }

  llvm::Constant* hidden(llvm::Constant* value, const std::string& name, size_t alignment) {
    llvm::GlobalVariable* variable =
        global(fmt::format("{}.{}", name, hidden_count_++), value->getType());
    variable->setInitializer(value);
    variable->setLinkage(llvm::GlobalValue::PrivateLinkage);
    variable->setAlignment(llvm::Align(alignment));
    return variable;
  }

  llvm::Constant* text(const std::string& value) {
    return hidden(llvm::ConstantDataArray::getString(context_, value), "text", 1);
  }

  llvm::Constant* array(const std::vector<llvm::Constant*>& values, const std::string& name) {
    if (values.empty()) return llvm::ConstantPointerNull::get(pointer_);
    auto* type = llvm::ArrayType::get(values.front()->getType(), values.size());
    return hidden(llvm::ConstantArray::get(type, values), name, alignof(void*));
  }

  llvm::Constant* external(const std::string& name) {
    return global(name, llvm::Type::getInt8Ty(context_));
  }

  /// A constant without a value yet, which another object may have.
  llvm::GlobalVariable* global(const std::string& name, llvm::Type* type) {
    auto* variable = llvm::cast<llvm::GlobalVariable>(module_.getOrInsertGlobal(name, type));
    variable->setConstant(true);
    return variable;
  }

  /// The kernels may stand in another object.
  llvm::Constant* functions(size_t target) {
    auto* index = llvm::Type::getInt64Ty(context_);
    auto* type =
        llvm::FunctionType::get(llvm::Type::getVoidTy(context_), {pointer_, index, index}, false);
    std::vector<llvm::Constant*> functions;
    for (size_t i = 0; i < code_.kernels.size(); ++i) {
      const std::string symbol = symbol_of(code_, i, target);
      llvm::Function* function = module_.getFunction(symbol);
      if (function == nullptr) {
        function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol, module_);
        function->setVisibility(llvm::GlobalValue::HiddenVisibility);
      }
      functions.push_back(function);
    }
    return array(functions, "functions");
  }

  void emit_main(llvm::Constant* model) {
    llvm::IRBuilder<> builder(context_);
    auto* type =
        llvm::FunctionType::get(builder.getInt32Ty(), {builder.getInt32Ty(), pointer_}, false);
    auto* main = llvm::Function::Create(type, llvm::Function::ExternalLinkage, "main", module_);
    auto* run_type = llvm::FunctionType::get(builder.getInt32Ty(),
                                             {pointer_, builder.getInt32Ty(), pointer_}, false);
    const llvm::FunctionCallee run = module_.getOrInsertFunction("run_model_of_gradc", run_type);
    builder.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", main));
    builder.CreateRet(builder.CreateCall(run, {model, main->getArg(0), main->getArg(1)}));
  }

  const ArtefactCode& code_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::PointerType* pointer_;
  int hidden_count_ = 0;
};

/// The kernels at `places` for every target and, in the first object, the tables. A kernel that the
/// tables of another object name has to be visible to the linker.
std::string object_of(const ArtefactCode& code, const std::vector<Target>& targets,
                      const std::vector<size_t>& places, bool is_first, bool is_only) {
  Compilation compilation(targets.front());
  for (size_t target = 0; target < targets.size(); ++target)
    for (const size_t place : places) {
      const std::string symbol = symbol_of(code, place, target);
      emit_kernel(code.kernels[place], symbol, targets[target], compilation.module);
      llvm::Function* function = compilation.module.getFunction(symbol);
      if (is_only)
        function->setLinkage(llvm::GlobalValue::InternalLinkage);
      else
        function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    }
  if (is_first) TableEmitter(code, compilation.module).emit(targets);
  return compilation.object();
}

/// The function whose code begins on this line, or nothing.
std::string symbol_in(const std::string& line, bool as_assembly) {
  const std::string start = as_assembly ? "" : "define void @";
  const size_t end = line.find(as_assembly ? ':' : '(');
  if (line.compare(0, start.size(), start) != 0 || end == std::string::npos) return "";
  return line.substr(start.size(), end - start.size());
}

/// Puts the notes of each kernel above the line on which its code begins.
std::string with_notes(const std::string& text, const std::map<std::string, std::string>& notes,
                       bool as_assembly) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string line = text.substr(begin, end - begin);
    if (const auto found = notes.find(symbol_in(line, as_assembly)); found != notes.end())
      result += found->second;
    result += line;
    begin = end;
  }
  return result;
}

}  // namespace

std::vector<std::string> artefact_objects(const ArtefactCode& code, size_t count) {
  const std::vector<Target> targets = targets_of(code);
  const std::vector<std::vector<size_t>> hands = deal(code.kernels, count);
  std::vector<std::future<std::string>> objects;
  for (size_t i = 0; i < count; ++i)
    objects.push_back(std::async(std::launch::async, object_of, std::cref(code), std::cref(targets),
                                 std::cref(hands[i]), i == 0, count == 1));
  std::vector<std::string> result;
  for (std::future<std::string>& object : objects) result.push_back(object.get());
  return result;
}

std::string artefact_text(const ArtefactCode& code, bool as_assembly) {
  const Target target = find_target(code.targets.front());
  Compilation compilation(target);
  std::map<std::string, std::string> notes;
  const char* const comment = as_assembly ? "# " : "; ";
  for (size_t i = 0; i < code.kernels.size(); ++i) {
    const std::string symbol = symbol_of(code, i, 0);
    emit_kernel(code.kernels[i], symbol, target, compilation.module);
    std::string& note = notes[symbol];
    for (const std::string& line : code.kernels[i].notes) note += comment + line + "\n";
  }
  return with_notes(as_assembly ? compilation.assembly() : compilation.text(), notes, as_assembly);
}

}  // namespace gradc
