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

/// A deliberately wrong kernel for the tests of verify: where set, code computes another op in the
/// place of this elementwise one; with three operands, compiling it is an internal error.
void corrupt_kernels_for_test(std::optional<OpKind> kind);
/// The op itself, unless corrupt_kernels_for_test asks for another.
OpKind compiled_op(OpKind kind);

LoweredNest lower_nest(const Graph& body, const Nest& nest, std::string name);

}  // namespace gradc
