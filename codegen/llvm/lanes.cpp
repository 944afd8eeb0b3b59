// Lanes: thin names over IRBuilder.
#include "codegen/llvm/lanes.h"

#include <llvm/IR/Intrinsics.h>

namespace gradc {
namespace {

bool has_floats(Lanes a) { return a.type()->isFPOrFPVectorTy(); }

llvm::Type* integer_type(Lanes a) {
  return with_element(a, llvm::IntegerType::get(a.type()->getContext(), a.bit_width()));
}

}  // namespace

llvm::Type* with_element(Lanes a, llvm::Type* element) {
  if (const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(a.type()))
    return llvm::FixedVectorType::get(element, vector->getNumElements());
  return element;
}

Lanes like(Lanes a, double value) {
  if (has_floats(a)) return {a.code, llvm::ConstantFP::get(a.type(), value)};
  return like_bits(a, static_cast<uint64_t>(static_cast<int64_t>(value)));
}

Lanes like_bits(Lanes a, uint64_t bits) {
  const llvm::APInt wide(64, bits);
  return {a.code, llvm::ConstantInt::get(a.type(), wide.zextOrTrunc(a.bit_width()))};
}

Lanes operator+(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFAdd(a.value, b.value)
                                : builder.CreateAdd(a.value, b.value)};
}
Lanes operator-(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFSub(a.value, b.value)
                                : builder.CreateSub(a.value, b.value)};
}
Lanes operator*(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFMul(a.value, b.value)
                                : builder.CreateMul(a.value, b.value)};
}
Lanes operator/(Lanes a, Lanes b) { return {a.code, a.builder().CreateFDiv(a.value, b.value)}; }
Lanes operator-(Lanes a) {
  return {a.code, has_floats(a) ? a.builder().CreateFNeg(a.value) : a.builder().CreateNeg(a.value)};
}

Lanes operator<(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFCmpOLT(a.value, b.value)
                                : builder.CreateICmpSLT(a.value, b.value)};
}
Lanes operator<=(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFCmpOLE(a.value, b.value)
                                : builder.CreateICmpSLE(a.value, b.value)};
}
Lanes operator>(Lanes a, Lanes b) { return b < a; }
Lanes operator>=(Lanes a, Lanes b) { return b <= a; }
Lanes operator==(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFCmpOEQ(a.value, b.value)
                                : builder.CreateICmpEQ(a.value, b.value)};
}
Lanes operator!=(Lanes a, Lanes b) {
  auto& builder = a.builder();
  return {a.code, has_floats(a) ? builder.CreateFCmpUNE(a.value, b.value)
                                : builder.CreateICmpNE(a.value, b.value)};
}

Lanes operator&(Lanes a, Lanes b) { return {a.code, a.builder().CreateAnd(a.value, b.value)}; }
Lanes operator|(Lanes a, Lanes b) { return {a.code, a.builder().CreateOr(a.value, b.value)}; }
Lanes operator^(Lanes a, Lanes b) { return {a.code, a.builder().CreateXor(a.value, b.value)}; }
Lanes operator~(Lanes a) { return {a.code, a.builder().CreateNot(a.value)}; }
Lanes shift_left(Lanes a, unsigned bits) {
  return {a.code, a.builder().CreateShl(a.value, like_bits(a, bits).value)};
}
Lanes shift_right(Lanes a, unsigned bits) {
  return {a.code, a.builder().CreateLShr(a.value, like_bits(a, bits).value)};
}
Lanes shift_right_signed(Lanes a, unsigned bits) {
  return {a.code, a.builder().CreateAShr(a.value, like_bits(a, bits).value)};
}

Lanes select(Lanes truth, Lanes a, Lanes b) {
  return {a.code, a.builder().CreateSelect(truth.value, a.value, b.value)};
}
Lanes is_nan(Lanes a) { return {a.code, a.builder().CreateFCmpUNO(a.value, a.value)}; }

Lanes call_intrinsic(llvm::Intrinsic::ID id, std::initializer_list<Lanes> operands) {
  llvm::SmallVector<llvm::Value*> values;
  for (Lanes operand : operands) values.push_back(operand.value);
  const Lanes first = *operands.begin();
  return {first.code, first.builder().CreateIntrinsic(id, {first.type()}, values)};
}

Lanes fma(Lanes a, Lanes b, Lanes c) { return call_intrinsic(llvm::Intrinsic::fma, {a, b, c}); }

Lanes polynomial(Lanes x, std::span<const double> coefficients) {
  Lanes sum = like(x, coefficients.back());
  for (size_t i = coefficients.size() - 1; i-- > 0;) sum = fma(sum, x, like(x, coefficients[i]));
  return sum;
}

Lanes clamp_above(Lanes a, double bound) {
  const Lanes limit = like(a, bound);
  return select(a > limit, limit, a);
}
Lanes clamp_below(Lanes a, double bound) {
  const Lanes limit = like(a, bound);
  return select(a < limit, limit, a);
}

Lanes magnitude(Lanes a) { return call_intrinsic(llvm::Intrinsic::fabs, {a}); }
Lanes with_sign_of(Lanes a, Lanes sign) {
  return call_intrinsic(llvm::Intrinsic::copysign, {a, sign});
}
Lanes round_even(Lanes a) { return call_intrinsic(llvm::Intrinsic::rint, {a}); }
Lanes round_down(Lanes a) { return call_intrinsic(llvm::Intrinsic::floor, {a}); }
Lanes round_up(Lanes a) { return call_intrinsic(llvm::Intrinsic::ceil, {a}); }
Lanes square_root(Lanes a) { return call_intrinsic(llvm::Intrinsic::sqrt, {a}); }

Lanes bits_of(Lanes a) { return {a.code, a.builder().CreateBitCast(a.value, integer_type(a))}; }
Lanes from_bits(Lanes a, Lanes like_this) {
  return {a.code, a.builder().CreateBitCast(a.value, like_this.type())};
}
Lanes widen(Lanes a) {
  return {a.code, a.builder().CreateFPExt(a.value, with_element(a, a.builder().getDoubleTy()))};
}
Lanes narrow(Lanes a) {
  return {a.code, a.builder().CreateFPTrunc(a.value, with_element(a, a.builder().getFloatTy()))};
}
Lanes to_float(Lanes a, Lanes like_this) {
  return {a.code, a.builder().CreateSIToFP(a.value, like_this.type())};
}

Lanes splat(Lanes a, int lanes) {
  if (a.is_vector()) return a;
  return {a.code, a.builder().CreateVectorSplat(static_cast<unsigned>(lanes), a.value)};
}

}  // namespace gradc
