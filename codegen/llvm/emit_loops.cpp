// Loops of a kernel: blocks, phis of carried accumulators, vector bodies and their tails.
#include <llvm/IR/Constants.h>

#include "codegen/llvm/kernel_emitter.h"

namespace gradc {

using namespace loop;

void KernelEmitter::emit_for(const For& loop) {
  CHECK(!loop.vector || !is_in_vector_loop(), "kernel {}: a vector loop in a vector loop",
        kernel_.name);
  if (loop.parallel)
    CHECK(loops_.empty() && carried_accumulators(loop.body).empty(),
          "kernel {}: the parallel loop must be outermost and feed nothing outside", kernel_.name);
  if (loop.extent <= 0) return;
  loop.vector ? emit_vector(loop) : emit_serial(loop);
}

void KernelEmitter::emit_serial(const For& loop) {
  auto& builder = code_.builder;
  if (loop.parallel)
    emit_range(loop, {begin_, end_, 1, false});
  else if (loop.extent == 1)
    emit_straight(loop, 0);
  else
    emit_range(
        loop, {builder.getInt64(0), builder.getInt64(static_cast<uint64_t>(loop.extent)), 1, true});
}

/// Whole vectors first, then the rest under a mask. Ranges of a parallel loop start at multiples of
/// W and end at one or at the extent.
void KernelEmitter::emit_vector(const For& loop) {
  auto& builder = code_.builder;
  const int64_t lanes = code_.target.lanes;
  const int64_t whole = loop.extent / lanes * lanes;
  const bool has_tail = whole < loop.extent;
  llvm::Value* limit = builder.getInt64(static_cast<uint64_t>(whole));
  vector_var_ = loop.var;
  if (loop.parallel) {
    if (whole > 0) {
      llvm::Value* last =
          has_tail ? builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, end_, limit) : end_;
      emit_range(loop, {begin_, last, lanes, false});
    }
    if (has_tail)
      emit_if(builder.CreateICmpSGT(end_, limit), [&] { emit_vector_tail(loop, whole); });
  } else {
    if (whole == lanes)
      emit_straight(loop, 0);
    else if (whole > 0)
      emit_range(loop, {builder.getInt64(0), limit, lanes, true});
    if (has_tail) emit_vector_tail(loop, whole);
  }
  vector_var_.reset();
}

void KernelEmitter::emit_vector_tail(const For& loop, int64_t first) {
  llvm::SmallVector<llvm::Constant*> active;
  for (int64_t lane = 0; lane < code_.target.lanes; ++lane)
    active.push_back(code_.builder.getInt1(first + lane < loop.extent));
  mask_ = llvm::ConstantVector::get(active);
  emit_straight(loop, first);
  mask_ = nullptr;
}

void KernelEmitter::emit_straight(const For& loop, int64_t index) {
  loops_.push_back({loop.var, code_.builder.getInt64(static_cast<uint64_t>(index)), nullptr});
  emit_body(loop.body);
  loops_.pop_back();
}

std::vector<llvm::Value**> KernelEmitter::carried_values(const For& loop) {
  std::vector<llvm::Value**> values;
  for (AccumulatorId id : carried_accumulators(loop.body)) {
    AccumulatorState& state = accumulators_.at(id);
    values.push_back(&state.best.lanes.value);
    if (state.position) values.push_back(&state.position->value);
  }
  return values;
}

void KernelEmitter::emit_range(const For& loop, const Range& range) {
  auto& builder = code_.builder;
  llvm::LLVMContext& context = builder.getContext();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  auto* block = llvm::BasicBlock::Create(context, "loop", function_);
  auto* after = llvm::BasicBlock::Create(context, "after", function_);
  const std::vector<llvm::Value**> carried = carried_values(loop);
  CHECK(range.is_never_empty || carried.empty(), "kernel {}: a carried value", kernel_.name);
  llvm::Instruction* enter =
      range.is_never_empty
          ? builder.CreateBr(block)
          : builder.CreateCondBr(builder.CreateICmpSLT(range.first, range.limit), block, after);

  builder.SetInsertPoint(block);
  auto* index = builder.CreatePHI(builder.getInt64Ty(), 2, "i");
  index->addIncoming(range.first, before);
  std::vector<llvm::PHINode*> phis;
  for (llvm::Value** value : carried) {
    phis.push_back(builder.CreatePHI((*value)->getType(), 2));
    phis.back()->addIncoming(*value, before);
    *value = phis.back();
  }
  loops_.push_back({loop.var, index, enter});
  emit_body(loop.body);
  loops_.pop_back();

  llvm::BasicBlock* latch = builder.GetInsertBlock();
  llvm::Value* next =
      builder.CreateNSWAdd(index, builder.getInt64(static_cast<uint64_t>(range.step)));
  builder.CreateCondBr(builder.CreateICmpSLT(next, range.limit), block, after);
  index->addIncoming(next, latch);
  for (size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(*carried[i], latch);
  builder.SetInsertPoint(after);
}

void KernelEmitter::emit_if(llvm::Value* condition, const EmitIteration& emit_then) {
  auto& builder = code_.builder;
  auto* block = llvm::BasicBlock::Create(builder.getContext(), "tail", function_);
  auto* after = llvm::BasicBlock::Create(builder.getContext(), "after", function_);
  builder.CreateCondBr(condition, block, after);
  builder.SetInsertPoint(block);
  emit_then();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
}

}  // namespace gradc
