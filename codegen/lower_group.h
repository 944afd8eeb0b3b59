// From one fusion group of kind "loop" to loop kernels.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "codegen/loop.h"
#include "ir/graph.h"

namespace gradc {

/// What a kernel's buffer is bound to.
struct GroupBuffer {
  enum class Source : uint8_t { Operand, Result, Scratch };
  Source source;
  int32_t position;  // of the body's inputs, outputs, or of LoweredGroup::scratch_bytes
};

struct GroupKernel {
  loop::Kernel kernel;
  std::vector<GroupBuffer> buffers;  // one for each buffer of the kernel
};

struct LoweredGroup {
  std::vector<GroupKernel> kernels;  // run in this order
  std::vector<int64_t> scratch_bytes;
  /// (operand, result) pairs that may share one memory: the operand is read at an element only
  /// before that element of the result is written, and by the same iteration of the parallel loop.
  std::vector<std::pair<int32_t, int32_t>> in_place;
};

/// `body` is the body of a group. Kernels are named NAME, NAME_1, ... Throws Error (ModelOrData)
/// for a body that the fusion pass would not have made.
LoweredGroup lower_group(const Graph& body, const std::string& name);

}  // namespace gradc
