// The scalar algebra (see ir/ops/scalar.h) of generated code: one element or a vector.
#pragma once
#include "codegen/llvm/lanes.h"
#include "ir/op_kind.h"
#include "runtime/core/dtype.h"

namespace gradc {

/// A value of a loop kernel. Bools are i1; f16 and bf16 are floats that hold a number of the dtype.
struct LlvmScalar {
  Lanes lanes;
  DType dtype;
};

/// The type of a value in registers.
llvm::Type* register_type(llvm::LLVMContext& context, DType dtype);

/// The meaning of an elementwise op other than Convert.
LlvmScalar apply(OpKind kind, std::span<const LlvmScalar> operands);
/// The meaning of Convert.
LlvmScalar convert(LlvmScalar a, DType dtype);

/// The nearest number of the dtype, f16 or bf16, to a float; other dtypes as they are.
Lanes round_to(DType dtype, Lanes a);

}  // namespace gradc
