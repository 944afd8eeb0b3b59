// Values and addresses of a kernel.
#include <llvm/IR/Constants.h>

#include "codegen/llvm/kernel_emitter.h"

namespace gradc {

using namespace loop;

LlvmScalar KernelEmitter::load(const Access& access, DType dtype) {
  CHECK(kernel_.buffers[static_cast<size_t>(access.buffer)].dtype == dtype,
        "kernel {}: a load of {} from a buffer of another dtype", kernel_.name, dtype);
  llvm::Value* place = pointer(access);
  if (!is_in_vector_loop()) return load_element(code_, place, dtype);
  if (has_vector_index(access)) return gather(code_, {place, lane_offsets(access), mask_}, dtype);
  return load_run(code_, {place, vector_stride(access.position), mask_}, dtype);
}

LlvmScalar KernelEmitter::literal(const Tensor& value) {
  CHECK(value.size() == 1, "kernel {}: a literal of {} elements", kernel_.name, value.size());
  const DType dtype = value.dtype();
  llvm::Type* type = register_type(code_.builder.getContext(), dtype);
  if (dtype == DType::I64) {
    const auto number = static_cast<uint64_t>(value.span<int64_t>()[0]);
    return {{&code_, llvm::ConstantInt::get(type, number)}, dtype};
  }
  if (dtype == DType::Bool) return {{&code_, code_.builder.getInt1(value.at(0) != 0)}, dtype};
  const Lanes zero{&code_, llvm::Constant::getNullValue(type)};
  return {like(zero, value.at(0)), dtype};
}

LlvmScalar KernelEmitter::iota(const Affine& position, DType dtype) {
  auto& builder = code_.builder;
  llvm::Value* first = affine(position);
  const bool is_narrow = fits_i32(position, facts_.extents);
  if (is_narrow) first = builder.CreateTrunc(first, builder.getInt32Ty());
  const int64_t stride = is_in_vector_loop() ? vector_stride(position) : 0;
  llvm::Value* value = stride == 0 ? first : lane_numbers(first, stride);
  return convert({{&code_, value}, is_narrow ? DType::I32 : DType::I64}, dtype);
}

LlvmScalar KernelEmitter::elementwise(const Apply& apply, DType dtype) {
  llvm::SmallVector<LlvmScalar> operands;
  bool has_vector = false;
  for (LetId id : apply.operands) {
    operands.push_back(let(id));
    has_vector = has_vector || operands.back().lanes.is_vector();
  }
  if (has_vector)
    for (LlvmScalar& operand : operands) operand = as_vector(operand);
  if (apply.kind == OpKind::Convert) return convert(operands[0], dtype);
  return gradc::apply(apply.kind, operands);
}

void KernelEmitter::emit_outside(size_t depth, const std::function<void()>& emit) {
  for (size_t i = depth; i < loops_.size(); ++i) {
    if (loops_[i].preheader_end == nullptr) continue;
    const llvm::IRBuilderBase::InsertPointGuard guard(code_.builder);
    code_.builder.SetInsertPoint(loops_[i].preheader_end);
    emit();
    return;
  }
  emit();
}

llvm::Value* KernelEmitter::affine(const Affine& affine) {
  auto& builder = code_.builder;
  llvm::Value* sum = builder.getInt64(static_cast<uint64_t>(affine.offset));
  for (size_t depth = 0; depth < loops_.size(); ++depth) {
    const int64_t stride = stride_of(affine, loops_[depth].var);
    if (stride == 0) continue;
    emit_outside(depth + 1, [&] {
      llvm::Value* factor = builder.getInt64(static_cast<uint64_t>(stride));
      sum = builder.CreateAdd(sum, builder.CreateMul(loops_[depth].index, factor));
    });
  }
  return sum;
}

llvm::Value* KernelEmitter::pointer(const Access& access) {
  auto& builder = code_.builder;
  const auto buffer = static_cast<size_t>(access.buffer);
  llvm::Type* type = memory_type(builder.getContext(), kernel_.buffers[buffer].dtype);
  llvm::Value* place = buffers_[buffer];
  const auto advance = [&](llvm::Value* elements) {
    place = builder.CreateGEP(type, place, elements);
  };
  if (access.position.offset != 0)
    emit_outside(0,
                 [&] { advance(builder.getInt64(static_cast<uint64_t>(access.position.offset))); });
  for (size_t depth = 0; depth < loops_.size(); ++depth) {
    const int64_t stride = stride_of(access.position, loops_[depth].var);
    if (stride == 0) continue;
    emit_outside(depth + 1, [&] {
      llvm::Value* factor = builder.getInt64(static_cast<uint64_t>(stride));
      advance(builder.CreateMul(loops_[depth].index, factor));
    });
  }
  for (const Indirection& indirection : access.indirections)
    if (!let(indirection.index).lanes.is_vector()) advance(indirect_offset(indirection));
  return place;
}

llvm::Value* KernelEmitter::lane_offsets(const Access& access) {
  auto& builder = code_.builder;
  llvm::Value* offsets = lane_positions(code_, vector_stride(access.position));
  for (const Indirection& indirection : access.indirections)
    if (let(indirection.index).lanes.is_vector())
      offsets = builder.CreateAdd(offsets, indirect_offset(indirection));
  return offsets;
}

llvm::Value* KernelEmitter::indirect_offset(const Indirection& indirection) {
  const Lanes index = convert(let(indirection.index), DType::I64).lanes;
  const Lanes last = like(index, static_cast<double>(indirection.size - 1));
  const Lanes zero = like(index, 0);
  const Lanes bounded = select(index < zero, zero, select(index > last, last, index));
  return (bounded * like_bits(index, static_cast<uint64_t>(indirection.stride))).value;
}

bool KernelEmitter::has_vector_index(const Access& access) const {
  return std::any_of(
      access.indirections.begin(), access.indirections.end(),
      [&](const Indirection& indirection) { return let(indirection.index).lanes.is_vector(); });
}

int64_t KernelEmitter::vector_stride(const Affine& affine) const {
  return stride_of(affine, *vector_var_);
}

llvm::Value* KernelEmitter::lane_numbers(llvm::Value* first, int64_t stride) {
  auto& builder = code_.builder;
  llvm::Value* numbers = lane_positions(code_, stride);
  auto* type = llvm::FixedVectorType::get(first->getType(), static_cast<unsigned>(code_.lanes));
  numbers = builder.CreateTrunc(numbers, type);
  return builder.CreateAdd(numbers,
                           builder.CreateVectorSplat(static_cast<unsigned>(code_.lanes), first));
}

}  // namespace gradc
