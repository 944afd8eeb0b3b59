// From one analysed nest to one loop kernel.
#pragma once
#include "codegen/lower_group.h"
#include "ir/iteration.h"

namespace gradc {

/// A read or write of a body's input or output by a kernel, in the order of execution in one
/// iteration of the loops around it.
struct NestAccess {
  bool is_store;
  bool is_simple;    // no lookup, no addition
  int32_t position;  // of the body's input or output
  AffineMap element;
};

struct LoweredNest {
  GroupKernel kernel;
  std::vector<NestAccess> accesses;
  std::vector<int64_t> scratch_bytes;  // what the kernel's scratch buffers count
};

LoweredNest lower_nest(const Graph& body, const Nest& nest, std::string name);

}  // namespace gradc
