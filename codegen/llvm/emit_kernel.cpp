// The frame of a kernel's function, and its statements other than loops.
#include "codegen/llvm/emit_kernel.h"

#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "codegen/llvm/kernel_emitter.h"

namespace gradc {
namespace {

using namespace loop;

llvm::Function* declare(const std::string& symbol, const Target& target, llvm::Module& module) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* index = llvm::Type::getInt64Ty(context);
  llvm::Type* operands[] = {llvm::PointerType::getUnqual(context), index, index};
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), operands, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol, module);
  function->addFnAttr("target-cpu", target.cpu);
  function->addFnAttr("target-features", target.features);
  if (target.has_avx512) function->addFnAttr("prefer-vector-width", "512");
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->getArg(0)->setName("buffers");
  function->getArg(1)->setName("begin");
  function->getArg(2)->setName("end");
  return function;
}

}  // namespace

void emit_kernel(const Kernel& kernel, const std::string& symbol, const Target& target,
                 llvm::Module& module) {
  Code code{llvm::IRBuilder<>(module.getContext()), target, module, target.lanes};
  llvm::Function* function = declare(symbol, target, module);
  KernelEmitter(kernel, code, function).emit();
  std::string fault;
  llvm::raw_string_ostream stream(fault);
  CHECK(!llvm::verifyFunction(*function, &stream), "kernel {}: {}", kernel.name, fault);
}

KernelEmitter::KernelEmitter(const Kernel& kernel, Code& code, llvm::Function* function)
    : kernel_(kernel),
      facts_(kernel_facts(kernel)),
      code_(code),
      function_(function),
      lets_(kernel.let_count) {}

void KernelEmitter::emit() {
  auto& builder = code_.builder;
  auto* entry = llvm::BasicBlock::Create(builder.getContext(), "entry", function_);
  builder.SetInsertPoint(entry);
  begin_ = function_->getArg(1);
  end_ = function_->getArg(2);
  uint64_t position = 0;
  for (const Buffer& buffer : kernel_.buffers) {
    if (buffer.is_local) {
      buffers_.push_back(stack_memory(buffer));
      continue;
    }
    llvm::Value* slot =
        builder.CreateConstGEP1_64(builder.getPtrTy(), function_->getArg(0), position++);
    buffers_.push_back(builder.CreateLoad(builder.getPtrTy(), slot, buffer.name));
  }
  start_watch();
  emit_body(kernel_.body);
  report_watch();
  builder.CreateRetVoid();
}

llvm::Value* KernelEmitter::stack_memory(const Buffer& buffer) {
  auto& builder = code_.builder;
  llvm::Type* element = memory_type(builder.getContext(), buffer.dtype);
  auto* type = llvm::ArrayType::get(element, static_cast<uint64_t>(buffer.elements));
  llvm::AllocaInst* memory = builder.CreateAlloca(type, nullptr, buffer.name);
  memory->setAlignment(llvm::Align(64));
  return memory;
}

void KernelEmitter::emit_body(const std::vector<Stmt>& body) {
  for (const Stmt& stmt : body) {
    if (const auto* let = std::get_if<Let>(&stmt))
      emit_let(*let);
    else if (const auto* accumulator = std::get_if<Accumulator>(&stmt))
      emit_accumulator(*accumulator);
    else if (const auto* accumulate = std::get_if<Accumulate>(&stmt))
      emit_accumulate(*accumulate);
    else if (const auto* store = std::get_if<Store>(&stmt))
      emit_store(*store);
    else
      emit_for(std::get<For>(stmt));
  }
}

void KernelEmitter::emit_let(const Let& let) {
  const auto value = [&]() -> LlvmScalar {
    if (const auto* from = std::get_if<Load>(&let.value)) return load(from->access, let.dtype);
    if (const auto* from = std::get_if<Literal>(&let.value)) return literal(from->value);
    if (const auto* from = std::get_if<Iota>(&let.value)) return iota(from->position, let.dtype);
    if (const auto* from = std::get_if<Draw>(&let.value)) return draw(*from, let.dtype);
    if (const auto* from = std::get_if<Apply>(&let.value)) return elementwise(*from, let.dtype);
    return combined(accumulators_.at(std::get<ReadAccumulator>(let.value).accumulator));
  }();
  CHECK(value.dtype == let.dtype, "kernel {}: let {} is {}, not {}", kernel_.name,
        static_cast<uint32_t>(let.id), value.dtype, let.dtype);
  lets_[static_cast<size_t>(let.id)] = value;
  remember_keys(let.id);
}

void KernelEmitter::emit_accumulator(const Accumulator& accumulator) {
  const bool is_spread = !is_in_vector_loop() && facts_.fed_in_vector_loop.contains(accumulator.id);
  AccumulatorState state =
      start_accumulator(code_, accumulator, is_in_vector_loop() || is_spread, is_spread);
  if (accumulator.start) {
    CHECK(is_in_vector_loop() && !state.position, "kernel {}: a start", kernel_.name);
    state.best = lanes_of(*accumulator.start);
  }
  accumulators_.insert_or_assign(accumulator.id, state);
}

void KernelEmitter::emit_accumulate(const Accumulate& accumulate) {
  AccumulatorState& state = accumulators_.at(accumulate.accumulator);
  const bool is_vector = is_in_vector_loop();
  const auto operand = [&](LetId id) { return is_vector ? lanes_of(id) : let(id); };
  // A lane that has its own accumulator need not be masked: nobody reads those outside.
  Contribution contribution{operand(accumulate.value), std::nullopt, std::nullopt,
                            state.is_spread ? mask_ : nullptr};
  CHECK(contribution.value.dtype == state.best.dtype, "kernel {}: {} into an accumulator of {}",
        kernel_.name, contribution.value.dtype, state.best.dtype);
  if (accumulate.factor) contribution.factor = operand(*accumulate.factor);
  if (state.position) {
    const LlvmScalar position = iota(accumulate.position, DType::I32);
    contribution.position = (is_vector ? as_vector(position) : position).lanes;
  }
  if (state.is_spread && !is_vector) {
    AccumulatorState lane = first_lane(state);
    gradc::accumulate(lane, contribution);
    set_first_lane(state, lane);
  } else {
    gradc::accumulate(state, contribution);
  }
}

void KernelEmitter::emit_store(const Store& store) {
  const DType dtype = kernel_.buffers[static_cast<size_t>(store.access.buffer)].dtype;
  LlvmScalar value = let(store.value);
  CHECK(value.dtype == dtype, "kernel {}: a store of {} to a buffer of {}", kernel_.name,
        value.dtype, dtype);
  llvm::Value* place = pointer(store.access);
  const auto with_sum = [&](LlvmScalar old) {
    const LlvmScalar operands[] = {old, value};
    const LlvmScalar stored = store.add ? apply(OpKind::Add, operands) : value;
    if (store.guard) emit_guard(*store.guard, stored);
    return stored;
  };
  const auto loaded = [&](const auto& load) { return store.add ? load() : value; };
  if (!is_in_vector_loop()) {
    const LlvmScalar old = loaded([&] { return load_element(code_, place, dtype); });
    store_element(code_, place, with_sum(old));
    return;
  }
  value = as_vector(value);
  const int64_t stride = vector_stride(store.access.position);
  if (has_vector_index(store.access) || (store.add && stride == 0)) {
    const Scattered scattered{place, lane_offsets(store.access), mask_};
    if (store.guard) emit_guard(*store.guard, value);
    store.add ? scatter_add(code_, scattered, value) : scatter(code_, scattered, value);
    return;
  }
  const Run run{place, stride, mask_};
  const LlvmScalar old = loaded([&] { return load_run(code_, run, dtype); });
  store_run(code_, run, with_sum(old));
}

const LlvmScalar& KernelEmitter::let(LetId id) const {
  const auto& value = lets_.at(static_cast<size_t>(id));
  CHECK(value.has_value(), "kernel {}: let {} is used before its place", kernel_.name,
        static_cast<uint32_t>(id));
  return *value;
}

LlvmScalar KernelEmitter::as_vector(LlvmScalar value) const {
  return {splat(value.lanes, code_.lanes), value.dtype};
}

}  // namespace gradc
