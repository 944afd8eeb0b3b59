// The rounds of a scan: the body's program again and again on moving pointers.
#pragma once
#include "runtime/execute.h"

namespace gradc {

/// One scan step, ready to run. Nothing is copied between rounds.
class ScanRunner {
 public:
  /// Keeps a reference to the step. `arena` is the body's, null where it needs none.
  ScanRunner(const ScanStep& step, std::byte* arena);
  /// `buffers`: the memory of step.buffers.
  void run(void* const* buffers);

 private:
  /// The element of a sequence that belongs to round `round`.
  std::byte* element(int32_t buffer, int64_t bytes, int64_t round) const;
  std::byte* memory(int32_t buffer) const;
  std::byte* read_by(const ScanStep::Carry& carry, int64_t round) const;
  std::byte* written_by(const ScanStep::Carry& carry, int64_t round) const;
  void finish(const ScanStep::Carry& carry) const;
  void copy_kept_before(const ScanStep::Carry& carry) const;

  const ScanStep& step_;
  Executor body_;
  std::vector<void*> inputs_, outputs_;  // of the body, in the round under way
  void* const* buffers_ = nullptr;
};

}  // namespace gradc
