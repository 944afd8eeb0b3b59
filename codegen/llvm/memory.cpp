// Masked, strided and scattered memory access through LLVM's generic intrinsics.
#include "codegen/llvm/memory.h"

#include <llvm/IR/Constants.h>

#include "codegen/llvm/small_float.h"

namespace gradc {
namespace {

llvm::Align alignment(DType dtype) { return llvm::Align(static_cast<uint64_t>(size_bytes(dtype))); }

llvm::FixedVectorType* vector_of(Code& code, llvm::Type* element) {
  return llvm::FixedVectorType::get(element, static_cast<unsigned>(code.lanes));
}

llvm::FixedVectorType* memory_vector(Code& code, DType dtype) {
  return vector_of(code, memory_type(code.builder.getContext(), dtype));
}

LlvmScalar to_register(Code& code, llvm::Value* value, DType dtype) {
  const Lanes lanes{&code, value};
  if (dtype == DType::Bool) return {lanes != like_bits(lanes, 0), dtype};
  if (dtype == DType::BF16) return {bf16_to_f32(lanes), dtype};
  if (dtype == DType::F16) return {f16_to_f32(lanes), dtype};
  return {lanes, dtype};
}

llvm::Value* to_memory(LlvmScalar value) {
  auto& builder = value.lanes.builder();
  if (value.dtype == DType::Bool)
    return builder.CreateZExt(value.lanes.value, with_element(value.lanes, builder.getInt8Ty()));
  if (value.dtype == DType::BF16) return f32_to_bf16(value.lanes).value;
  if (value.dtype == DType::F16) return f32_to_f16(value.lanes).value;
  return value.lanes.value;
}

llvm::Value* reversed(Code& code, llvm::Value* vector) {
  llvm::SmallVector<int> order;
  for (int lane = code.lanes; lane-- > 0;) order.push_back(lane);
  return code.builder.CreateShuffleVector(vector, order);
}

/// Lane 0 of a run of stride -1 is the last in memory.
llvm::Value* lowest_pointer(Code& code, const Run& run, DType dtype) {
  llvm::Type* type = memory_type(code.builder.getContext(), dtype);
  return code.builder.CreateConstGEP1_64(type, run.pointer,
                                         static_cast<uint64_t>(1 - int64_t{code.lanes}));
}

llvm::Value* load_contiguous(Code& code, llvm::Value* pointer, llvm::Value* mask, DType dtype) {
  llvm::Type* type = memory_vector(code, dtype);
  if (mask == nullptr) return code.builder.CreateAlignedLoad(type, pointer, alignment(dtype));
  return code.builder.CreateMaskedLoad(type, pointer, alignment(dtype), mask,
                                       llvm::Constant::getNullValue(type));
}

void store_contiguous(Code& code, llvm::Value* pointer, llvm::Value* mask, llvm::Value* value,
                      DType dtype) {
  if (mask == nullptr)
    code.builder.CreateAlignedStore(value, pointer, alignment(dtype));
  else
    code.builder.CreateMaskedStore(value, pointer, alignment(dtype), mask);
}

Scattered as_scattered(Code& code, const Run& run) {
  return {run.pointer, lane_positions(code, run.stride), run.mask};
}

llvm::Value* lane_pointers(Code& code, const Scattered& place, DType dtype) {
  llvm::Type* type = memory_type(code.builder.getContext(), dtype);
  return code.builder.CreateGEP(type, place.pointer, place.positions);
}

llvm::Value* all_lanes(Code& code, llvm::Value* mask) {
  if (mask != nullptr) return mask;
  return llvm::Constant::getAllOnesValue(vector_of(code, code.builder.getInt1Ty()));
}

/// The number of active lanes: masks are a constant prefix.
int active_lanes(Code& code, llvm::Value* mask) {
  if (mask == nullptr) return code.lanes;
  const auto* constant = llvm::cast<llvm::Constant>(mask);
  int count = 0;
  for (int lane = 0; lane < code.lanes; ++lane)
    if (constant->getAggregateElement(static_cast<unsigned>(lane))->isOneValue()) ++count;
  return count;
}

}  // namespace

llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype) {
  if (dtype == DType::Bool) return llvm::Type::getInt8Ty(context);
  if (dtype == DType::BF16 || dtype == DType::F16) return llvm::Type::getInt16Ty(context);
  return register_type(context, dtype);
}

llvm::Constant* lane_positions(Code& code, int64_t stride) {
  llvm::SmallVector<llvm::Constant*> positions;
  for (int64_t lane = 0; lane < code.lanes; ++lane)
    positions.push_back(code.builder.getInt64(static_cast<uint64_t>(lane * stride)));
  return llvm::ConstantVector::get(positions);
}

LlvmScalar load_element(Code& code, llvm::Value* pointer, DType dtype) {
  llvm::Type* type = memory_type(code.builder.getContext(), dtype);
  return to_register(code, code.builder.CreateAlignedLoad(type, pointer, alignment(dtype)), dtype);
}

void store_element(Code& code, llvm::Value* pointer, LlvmScalar value) {
  code.builder.CreateAlignedStore(to_memory(value), pointer, alignment(value.dtype));
}

LlvmScalar load_run(Code& code, const Run& run, DType dtype) {
  if (run.stride == 0) return load_element(code, run.pointer, dtype);
  if (run.stride == 1)
    return to_register(code, load_contiguous(code, run.pointer, run.mask, dtype), dtype);
  if (run.stride == -1) {
    llvm::Value* mask = run.mask == nullptr ? nullptr : reversed(code, run.mask);
    llvm::Value* lowest = lowest_pointer(code, run, dtype);
    return to_register(code, reversed(code, load_contiguous(code, lowest, mask, dtype)), dtype);
  }
  return gather(code, as_scattered(code, run), dtype);
}

void store_run(Code& code, const Run& run, LlvmScalar value) {
  if (run.stride == 0) {
    const auto last = static_cast<uint64_t>(active_lanes(code, run.mask) - 1);
    const Lanes element{&code, code.builder.CreateExtractElement(value.lanes.value, last)};
    store_element(code, run.pointer, {element, value.dtype});
  } else if (run.stride == 1) {
    store_contiguous(code, run.pointer, run.mask, to_memory(value), value.dtype);
  } else if (run.stride == -1) {
    llvm::Value* mask = run.mask == nullptr ? nullptr : reversed(code, run.mask);
    store_contiguous(code, lowest_pointer(code, run, value.dtype), mask,
                     reversed(code, to_memory(value)), value.dtype);
  } else {
    scatter(code, as_scattered(code, run), value);
  }
}

LlvmScalar gather(Code& code, const Scattered& place, DType dtype) {
  llvm::Type* type = memory_vector(code, dtype);
  llvm::Value* loaded = code.builder.CreateMaskedGather(
      type, lane_pointers(code, place, dtype), alignment(dtype), all_lanes(code, place.mask),
      llvm::Constant::getNullValue(type));
  return to_register(code, loaded, dtype);
}

void scatter(Code& code, const Scattered& place, LlvmScalar value) {
  code.builder.CreateMaskedScatter(to_memory(value), lane_pointers(code, place, value.dtype),
                                   alignment(value.dtype), all_lanes(code, place.mask));
}

void scatter_add(Code& code, const Scattered& place, LlvmScalar value) {
  llvm::Type* type = memory_type(code.builder.getContext(), value.dtype);
  const auto count = static_cast<uint64_t>(active_lanes(code, place.mask));
  for (uint64_t lane = 0; lane < count; ++lane) {
    llvm::Value* position = code.builder.CreateExtractElement(place.positions, lane);
    llvm::Value* pointer = code.builder.CreateGEP(type, place.pointer, position);
    const Lanes added{&code, code.builder.CreateExtractElement(value.lanes.value, lane)};
    const LlvmScalar sum[] = {load_element(code, pointer, value.dtype), {added, value.dtype}};
    store_element(code, pointer, apply(OpKind::Add, sum));
  }
}

}  // namespace gradc
