// The times of the steps of a program, one by one.
#pragma once
#include "tools/bench_subject.h"

namespace gradc {

/// One step of a program, as measured.
struct KernelTime {
  StepFacts facts;
  Times times;
};

/// Runs the program for about so long, at least five times, each step by an executor of its own on
/// common memory. The session's state goes on as in any other run, but for the number of the step.
std::vector<KernelTime> time_kernels(Session& session, GraphMode mode, const BenchBatch& batch,
                                     double seconds);

}  // namespace gradc
