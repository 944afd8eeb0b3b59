// Loads and stores of generated code: elements, runs of lanes with a stride, and scattered lanes.
//
// Memory holds bools as bytes and 16-bit floats as they are; registers as LlvmScalar says. A mask
// is a vector of i1, null for "all lanes"; lanes outside are neither read nor written, and load 0.
#pragma once
#include "codegen/llvm/scalar_algebra.h"

namespace gradc {

llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype);

LlvmScalar load_element(Code& code, llvm::Value* pointer, DType dtype);
void store_element(Code& code, llvm::Value* pointer, LlvmScalar value);

/// Lane l is at `pointer` + l * stride elements.
struct Run {
  llvm::Value* pointer;
  int64_t stride;
  llvm::Value* mask;
};
/// A run of stride 0 is loaded as a scalar.
LlvmScalar load_run(Code& code, const Run& run, DType dtype);
/// The last active lane wins where the stride is 0.
void store_run(Code& code, const Run& run, LlvmScalar value);

/// Lane l is at `pointer` + positions[l] elements (i64).
struct Scattered {
  llvm::Value* pointer;
  llvm::Value* positions;
  llvm::Value* mask;
};
LlvmScalar gather(Code& code, const Scattered& place, DType dtype);
/// Of lanes with one position the last wins.
void scatter(Code& code, const Scattered& place, LlvmScalar value);
/// memory += value lane after lane, so that lanes with one position all count.
void scatter_add(Code& code, const Scattered& place, LlvmScalar value);

/// The numbers 0, 1, ..., lanes - 1 times stride, as i64.
llvm::Constant* lane_positions(Code& code, int64_t stride);

}  // namespace gradc
