// The times of the steps of a program, one by one.
#pragma once
#include "runtime/execute.h"
#include "tools/bench_subject.h"

namespace gradc {

/// One step of a program, as measured.
struct KernelTime {
  StepFacts facts;
  Times times;
};

/// The steps of a program, each with an executor of its own on common memory: the state of the
/// session, which goes on as in any other run but for the number of the step, the batch, an arena.
class StepByStep {
 public:
  StepByStep(Session& session, const Program& program, const BenchBatch& batch);
  size_t size() const { return executors_.size(); }
  void run(size_t step) { executors_[step]->run_at(input_memory_, output_memory_); }

 private:
  Tensor arena_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<void*> input_memory_, output_memory_;
  std::vector<std::unique_ptr<Executor>> executors_;
};

/// Runs the program for about so long, at least five times, step by step.
std::vector<KernelTime> time_kernels(Session& session, GraphMode mode, const BenchBatch& batch,
                                     double seconds);

}  // namespace gradc
