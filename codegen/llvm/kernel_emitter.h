// The walk over a kernel's statements that emits code; the state it carries.
#pragma once
#include <functional>
#include <map>
#include <tuple>

#include "codegen/llvm/accumulator.h"
#include "codegen/llvm/draw.h"
#include "codegen/llvm/kernel_facts.h"
#include "codegen/llvm/memory.h"

namespace gradc {

class KernelEmitter {
 public:
  /// `function` is empty and has the signature of KernelFunction; all outlive the emitter.
  KernelEmitter(const loop::Kernel& kernel, Code& code, llvm::Function* function);
  void emit();

 private:
  /// A loop around the current place. `preheader_end` is where instructions go that do not depend
  /// on this loop or those inside; null where the loop has no block of its own.
  struct OpenLoop {
    loop::VarId var;
    llvm::Value* index;
    llvm::Instruction* preheader_end;
  };
  /// Iterations first, first + step, ... below limit.
  struct Range {
    llvm::Value* first;
    llvm::Value* limit;
    int64_t step;  // of the vector loop: a multiple of W, the body stands once for each W
    bool is_never_empty;
  };
  using EmitIteration = std::function<void()>;

  llvm::Value* stack_memory(const loop::Buffer& buffer);
  void emit_body(const std::vector<loop::Stmt>& body);
  void emit_let(const loop::Let& let);
  void emit_accumulator(const loop::Accumulator& accumulator);
  void emit_accumulate(const loop::Accumulate& accumulate);
  void emit_store(const loop::Store& store);

  // emit_guard.cpp
  void start_watch();
  void emit_guard(const loop::Guard& guard, LlvmScalar value);
  void report_watch();

  // emit_loops.cpp
  void emit_for(const loop::For& loop);
  void emit_serial(const loop::For& loop);
  void emit_vector(const loop::For& loop);
  void emit_vector_range(const loop::For& loop);
  void emit_vector_tail(const loop::For& loop, int64_t first);
  void emit_range(const loop::For& loop, const Range& range);
  void emit_range(const loop::For& loop, const Range& range, const EmitIteration& emit_one);
  void emit_vectors(const loop::For& loop, int64_t first, int64_t limit, int64_t step);
  void emit_iteration(const loop::For& loop, int64_t step);
  void emit_straight(const loop::For& loop, int64_t index);
  void emit_if(llvm::Value* condition, const EmitIteration& emit_then);
  std::vector<llvm::Value**> carried_values(const loop::For& loop);
  /// What `a` in one block before this and `b` in the other are here.
  llvm::Value* merge(llvm::Value* a, llvm::BasicBlock* from_a, llvm::Value* b,
                     llvm::BasicBlock* from_b);

  // emit_values.cpp
  LlvmScalar load(const loop::Access& access, DType dtype);
  LlvmScalar literal(const Tensor& value);
  LlvmScalar iota(const loop::Affine& position, DType dtype);
  LlvmScalar elementwise(const loop::Apply& apply, DType dtype);

  // emit_draws.cpp
  LlvmScalar draw(const loop::Draw& draw, DType dtype);
  Lanes shared_word(const loop::Draw& draw, DrawnStream stream, Lanes key, Lanes step);
  void remember_keys(loop::LetId seed);
  bool has_block_position(const loop::Draw& draw, loop::VarId vector_var) const;
  int64_t vectors_per_iteration(const loop::For& loop) const;

  /// The value of the expression at lane 0; each term stands as far outside as it can.
  llvm::Value* affine(const loop::Affine& affine);
  /// Runs `emit` where the indices of open loops 0 .. depth - 1 are known.
  void emit_outside(size_t depth, const std::function<void()>& emit);
  /// The address of an access at lane 0, without its vector indirections.
  llvm::Value* pointer(const loop::Access& access);
  /// Per lane, the elements to add to pointer(): the vector loop's stride and vector indirections.
  llvm::Value* lane_offsets(const loop::Access& access);
  llvm::Value* indirect_offset(const loop::Indirection& indirection);
  bool has_vector_index(const loop::Access& access) const;
  int64_t vector_stride(const loop::Affine& affine) const;
  llvm::Value* lane_numbers(llvm::Value* first, int64_t stride);

  const LlvmScalar& let(loop::LetId id) const;
  LlvmScalar as_vector(LlvmScalar value) const;
  LlvmScalar lanes_of(loop::LetId id) const { return as_vector(let(id)); }
  bool is_in_vector_loop() const { return vector_var_.has_value(); }

  const loop::Kernel& kernel_;
  const KernelFacts facts_;
  Code& code_;
  llvm::Function* function_;
  std::vector<llvm::Value*> buffers_;
  llvm::Value* begin_ = nullptr;  // of the parallel loop
  llvm::Value* end_ = nullptr;
  std::vector<OpenLoop> loops_;
  std::optional<loop::VarId> vector_var_;
  llvm::Value* mask_ = nullptr;  // of the vector loop's tail
  std::vector<std::optional<LlvmScalar>> lets_;
  std::map<loop::AccumulatorId, AccumulatorState> accumulators_;
  llvm::Value* watched_ = nullptr;  // by guards so far; null in a kernel without
  llvm::Value* guard_ = nullptr;    // the buffer they write into
  std::map<std::pair<loop::LetId, DrawnStream>, Lanes> keys_;  // by seed and stream
  /// Where an iteration is several vectors: the one that is emitted, and the blocks drawn so far,
  /// by stream and first lane.
  std::optional<int64_t> vector_of_iteration_;
  std::map<std::tuple<const loop::Draw*, DrawnStream, int64_t>, DrawBlock> blocks_;
};

}  // namespace gradc
