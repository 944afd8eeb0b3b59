// Loops of a kernel: blocks, phis of carried accumulators, vector bodies and their tails.
#include <llvm/IR/Constants.h>

#include "codegen/llvm/kernel_emitter.h"
#include "codegen/llvm/vectors_together.h"

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

/// Whole vectors first, several as one where that pays, then the rest under a mask. Ranges of a
/// parallel loop start at multiples of its grain and end at one or at the extent.
void KernelEmitter::emit_vector(const For& loop) {
  if (loop.parallel && takes_extent_from_range(kernel_)) return emit_vector_range(loop);
  auto& builder = code_.builder;
  const int64_t lanes = code_.target.lanes;
  const int64_t together = vectors_together(loop, code_.target);
  const int64_t step = lanes * together * vectors_per_iteration(loop);
  const int64_t steps = loop.extent / step * step;
  const int64_t whole = loop.extent / lanes * lanes;
  vector_var_ = loop.var;
  code_.lanes = static_cast<int>(lanes * together);
  emit_vectors(loop, 0, steps, step);
  code_.lanes = code_.target.lanes;
  emit_vectors(loop, steps, whole, lanes);
  if (whole < loop.extent) {
    const auto emit_tail = [&] { emit_vector_tail(loop, whole); };
    llvm::Value* last = builder.getInt64(static_cast<uint64_t>(whole));
    loop.parallel ? emit_if(builder.CreateICmpSGT(end_, last), emit_tail) : emit_tail();
  }
  vector_var_.reset();
}

/// The same for code that knows its extent only as the end of the last range. Where an iteration is
/// several vectors, all the rest is masked: a body of that size should not stand there once more.
void KernelEmitter::emit_vector_range(const For& loop) {
  auto& builder = code_.builder;
  const int64_t lanes = code_.target.lanes;
  const int64_t step = lanes * vectors_per_iteration(loop);
  llvm::Value* mask = builder.getInt64(~(static_cast<uint64_t>(step) - 1));
  llvm::Value* whole = builder.CreateAnd(end_, mask);
  vector_var_ = loop.var;
  emit_range(loop, {begin_, whole, step, false});
  llvm::Value* first = builder.CreateBinaryIntrinsic(llvm::Intrinsic::smax, begin_, whole);
  emit_range(loop, {first, end_, lanes, false}, [&] {
    const llvm::ElementCount count = llvm::ElementCount::getFixed(static_cast<unsigned>(lanes));
    llvm::Value* index = loops_.back().index;
    llvm::Value* rest = builder.CreateTrunc(builder.CreateSub(end_, index), builder.getInt32Ty());
    llvm::Value* numbers =
        builder.CreateStepVector(llvm::VectorType::get(builder.getInt32Ty(), count));
    mask_ = builder.CreateICmpSLT(numbers, builder.CreateVectorSplat(count, rest));
    emit_body(loop.body);
    mask_ = nullptr;
  });
  vector_var_.reset();
}

/// Iterations [first, limit), of a parallel loop those in its range, `step` at a time.
void KernelEmitter::emit_vectors(const For& loop, int64_t first, int64_t limit, int64_t step) {
  auto& builder = code_.builder;
  if (first == limit) return;
  llvm::Value* lower = builder.getInt64(static_cast<uint64_t>(first));
  llvm::Value* upper = builder.getInt64(static_cast<uint64_t>(limit));
  if (loop.parallel) {
    lower =
        first == 0 ? begin_ : builder.CreateBinaryIntrinsic(llvm::Intrinsic::smax, begin_, lower);
    upper = limit == loop.extent
                ? end_
                : builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, end_, upper);
  } else if (limit - first == step && step == code_.lanes) {
    emit_straight(loop, first);
    return;
  }
  emit_range(loop, {lower, upper, step, !loop.parallel});
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
  emit_range(loop, range, [&] { emit_iteration(loop, range.step); });
}

void KernelEmitter::emit_range(const For& loop, const Range& range, const EmitIteration& emit_one) {
  auto& builder = code_.builder;
  llvm::LLVMContext& context = builder.getContext();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  auto* block = llvm::BasicBlock::Create(context, "loop", function_);
  auto* after = llvm::BasicBlock::Create(context, "after", function_);
  std::vector<llvm::Value**> carried = carried_values(loop);
  CHECK(range.is_never_empty || carried.empty(), "kernel {}: a carried value", kernel_.name);
  const bool is_watched = stores_guarded(loop.body);
  llvm::Value* watched_before = watched_;
  if (is_watched) carried.push_back(&watched_);
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
  emit_one();
  loops_.pop_back();

  llvm::BasicBlock* latch = builder.GetInsertBlock();
  llvm::Value* next =
      builder.CreateNSWAdd(index, builder.getInt64(static_cast<uint64_t>(range.step)));
  builder.CreateCondBr(builder.CreateICmpSLT(next, range.limit), block, after);
  index->addIncoming(next, latch);
  for (size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(*carried[i], latch);
  builder.SetInsertPoint(after);
  if (is_watched && !range.is_never_empty)
    watched_ = merge(watched_before, before, watched_, latch);
}

llvm::Value* KernelEmitter::merge(llvm::Value* a, llvm::BasicBlock* from_a, llvm::Value* b,
                                  llvm::BasicBlock* from_b) {
  if (a == b) return a;
  llvm::PHINode* phi = code_.builder.CreatePHI(a->getType(), 2);
  phi->addIncoming(a, from_a);
  phi->addIncoming(b, from_b);
  return phi;
}

void KernelEmitter::emit_iteration(const For& loop, int64_t step) {
  auto& builder = code_.builder;
  const int64_t lanes = code_.lanes;
  if (step <= lanes) {
    emit_body(loop.body);
    return;
  }
  llvm::Value* first = loops_.back().index;
  for (int64_t vector = 0; vector < step / lanes; ++vector) {
    llvm::Value* offset = builder.getInt64(static_cast<uint64_t>(vector * lanes));
    loops_.back().index = builder.CreateNSWAdd(first, offset);
    vector_of_iteration_ = vector;
    emit_body(loop.body);
  }
  vector_of_iteration_.reset();
  blocks_.clear();
}

void KernelEmitter::emit_if(llvm::Value* condition, const EmitIteration& emit_then) {
  auto& builder = code_.builder;
  auto* block = llvm::BasicBlock::Create(builder.getContext(), "tail", function_);
  auto* after = llvm::BasicBlock::Create(builder.getContext(), "after", function_);
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::Value* watched_before = watched_;
  builder.CreateCondBr(condition, block, after);
  builder.SetInsertPoint(block);
  emit_then();
  llvm::BasicBlock* last = builder.GetInsertBlock();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
  watched_ = merge(watched_before, before, watched_, last);
}

}  // namespace gradc
