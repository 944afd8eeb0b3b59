// Calls of the library whose bits are those of any number of threads.
#pragma once
#include <memory>

#include "runtime/program.h"

namespace gradc {

/// How a library cuts its work, and so the order of its sums, follows from the number of threads.
/// Here a step is cut into parts that follow from its shape alone; the library computes each as it
/// does on one thread, and `team` threads share them. Products are cut along an axis of the result,
/// convolutions along the batch; a kernel gradient is the sum of those of the parts, in their
/// order.
std::unique_ptr<LibraryCall> call_in_parts(const LibraryCalls& library, const MatmulStep& step,
                                           int team);
std::unique_ptr<LibraryCall> call_in_parts(const LibraryCalls& library, const ConvStep& step,
                                           int team);

}  // namespace gradc
