// The functions that the scalar table is written in, as instructions.
#include "codegen/llvm/scalar_algebra.h"

#include <llvm/IR/Intrinsics.h>

#include "codegen/llvm/math.h"
#include "codegen/llvm/small_float.h"
#include "ir/ops/scalar.h"

namespace gradc {

// Static, not in an unnamed namespace: the table's templates find them beside LlvmScalar.
using S = LlvmScalar;

static S like_operand(S a, Lanes lanes) { return {round_to(a.dtype, lanes), a.dtype}; }
static S truth(Lanes lanes) { return {lanes, DType::Bool}; }
static bool is_unsigned(S a) { return a.dtype == DType::U8; }

static S operator+(S a, S b) { return like_operand(a, a.lanes + b.lanes); }
static S operator-(S a, S b) { return like_operand(a, a.lanes - b.lanes); }
static S operator*(S a, S b) { return like_operand(a, a.lanes * b.lanes); }
static S operator/(S a, S b) { return like_operand(a, a.lanes / b.lanes); }
static S operator-(S a) { return {-a.lanes, a.dtype}; }
static S like(S a, double value) { return {gradc::like(a.lanes, value), a.dtype}; }

static Lanes unsigned_less(Lanes a, Lanes b) {
  return {a.code, a.builder().CreateICmpULT(a.value, b.value)};
}
static S less(S a, S b) {
  return truth(is_unsigned(a) ? unsigned_less(a.lanes, b.lanes) : a.lanes < b.lanes);
}
static S less_equal(S a, S b) {
  return truth(is_unsigned(a) ? ~unsigned_less(b.lanes, a.lanes) : a.lanes <= b.lanes);
}
static S greater(S a, S b) { return less(b, a); }
static S greater_equal(S a, S b) { return less_equal(b, a); }
static S equal(S a, S b) { return truth(a.lanes == b.lanes); }
static S not_equal(S a, S b) { return truth(a.lanes != b.lanes); }
static S select(S condition, S a, S b) {
  return {gradc::select(condition.lanes, a.lanes, b.lanes), a.dtype};
}
static S logical_and(S a, S b) { return truth(a.lanes & b.lanes); }
static S logical_or(S a, S b) { return truth(a.lanes | b.lanes); }
static S logical_not(S a) { return truth(~a.lanes); }

static S maximum(S a, S b) {
  const S larger = select(greater(a, b), a, b);
  return is_float(a.dtype) ? select(truth(is_nan(a.lanes)), a, larger) : larger;
}
static S minimum(S a, S b) {
  const S smaller = select(less(a, b), a, b);
  return is_float(a.dtype) ? select(truth(is_nan(a.lanes)), a, smaller) : smaller;
}
static S abs(S a) {
  if (is_float(a.dtype)) return {magnitude(a.lanes), a.dtype};
  return is_unsigned(a) ? a : select(less(a, like(a, 0)), -a, a);
}
static S floor(S a) { return is_float(a.dtype) ? S{round_down(a.lanes), a.dtype} : a; }
static S ceil(S a) { return is_float(a.dtype) ? S{round_up(a.lanes), a.dtype} : a; }
static S round(S a) { return is_float(a.dtype) ? S{round_even(a.lanes), a.dtype} : a; }

/// Integers, rounded to -infinity. The divisors 0 and -1, which the instruction traps on or
/// overflows with, are replaced by 1.
static S floor_divide_integers(S a, S b) {
  auto& builder = a.lanes.builder();
  const S zero = like(a, 0), one = like(a, 1);
  const S is_zero = equal(b, zero);
  if (is_unsigned(a)) {
    const S divisor = select(is_zero, one, b);
    const Lanes quotient{a.lanes.code, builder.CreateUDiv(a.lanes.value, divisor.lanes.value)};
    return select(is_zero, zero, {quotient, a.dtype});
  }
  const S is_minus_one = equal(b, like(a, -1));
  const S divisor = select(logical_or(is_zero, is_minus_one), one, b);
  const S quotient{{a.lanes.code, builder.CreateSDiv(a.lanes.value, divisor.lanes.value)}, a.dtype};
  const S remainder = a - quotient * divisor;
  const S has_other_sign = truth((remainder.lanes ^ divisor.lanes) < 0);
  const S is_above = logical_and(not_equal(remainder, zero), has_other_sign);
  const S rounded_down = select(is_above, quotient - one, quotient);
  return select(is_zero, zero, select(is_minus_one, -a, rounded_down));
}
/// Of floats these round once, at the end: the quotient of small floats stays in f32.
static S floor_div(S a, S b) {
  if (!is_float(a.dtype)) return floor_divide_integers(a, b);
  return like_operand(a, round_down(a.lanes / b.lanes));
}
static S floor_mod(S a, S b) {
  if (is_float(a.dtype)) return like_operand(a, a.lanes - round_down(a.lanes / b.lanes) * b.lanes);
  const S result = a - floor_divide_integers(a, b) * b;
  return select(equal(b, like(b, 0)), like(a, 0), result);
}

static S sqrt(S a) { return like_operand(a, square_root(a.lanes)); }
static S exp(S a) { return like_operand(a, math::exp(a.lanes)); }
static S expm1(S a) { return like_operand(a, math::expm1(a.lanes)); }
static S log(S a) { return like_operand(a, math::log(a.lanes)); }
static S log1p(S a) { return like_operand(a, math::log1p(a.lanes)); }
static S sin(S a) { return like_operand(a, math::sin(a.lanes)); }
static S cos(S a) { return like_operand(a, math::cos(a.lanes)); }
static S tanh(S a) { return like_operand(a, math::tanh(a.lanes)); }
static S erf(S a) { return like_operand(a, math::erf(a.lanes)); }
static S erfc(S a) { return like_operand(a, math::erfc(a.lanes)); }
static S sigmoid(S a) { return like_operand(a, math::sigmoid(a.lanes)); }
static S pow(S a, S b) { return like_operand(a, math::pow(a.lanes, b.lanes)); }

llvm::Type* register_type(llvm::LLVMContext& context, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return llvm::Type::getInt1Ty(context);
    case DType::U8:
      return llvm::Type::getInt8Ty(context);
    case DType::I32:
      return llvm::Type::getInt32Ty(context);
    case DType::I64:
      return llvm::Type::getInt64Ty(context);
    case DType::BF16:
    case DType::F16:
    case DType::F32:
      return llvm::Type::getFloatTy(context);
    case DType::F64:
      return llvm::Type::getDoubleTy(context);
  }
  CHECK(false, "dtype {}", static_cast<int>(dtype));
}

Lanes round_to(DType dtype, Lanes a) {
  if (dtype == DType::BF16) return bf16_to_f32(f32_to_bf16(a));
  if (dtype == DType::F16) return f16_to_f32(f32_to_f16(a));
  return a;
}

LlvmScalar apply(OpKind kind, std::span<const LlvmScalar> operands) {
  return apply_scalar<LlvmScalar>(kind, operands);
}

LlvmScalar convert(LlvmScalar a, DType dtype) {
  if (a.dtype == dtype) return a;
  if (dtype == DType::Bool) return truth(a.lanes != gradc::like(a.lanes, 0));
  auto& builder = a.lanes.builder();
  llvm::Value* value = a.lanes.value;
  llvm::Type* type = with_element(a.lanes, register_type(builder.getContext(), dtype));
  const bool from_unsigned = a.dtype == DType::Bool || is_unsigned(a);
  if (is_float(a.dtype) && is_float(dtype)) {
    value = builder.CreateFPCast(value, type);
  } else if (a.dtype == DType::Bool && is_float(dtype)) {
    // One masked move instead of three instructions.
    value = builder.CreateSelect(value, llvm::ConstantFP::get(type, 1.0),
                                 llvm::ConstantFP::get(type, 0.0));
  } else if (is_float(dtype)) {
    if (from_unsigned) {
      llvm::Type* wide = with_element(a.lanes, builder.getInt32Ty());
      value = builder.CreateZExt(value, wide);
    }
    value = builder.CreateSIToFP(value, type);
  } else if (is_float(a.dtype)) {
    const auto id = dtype == DType::U8 ? llvm::Intrinsic::fptoui_sat : llvm::Intrinsic::fptosi_sat;
    value = builder.CreateIntrinsic(id, {type, value->getType()}, {value});
  } else {
    value = builder.CreateIntCast(value, type, !from_unsigned);
  }
  return {round_to(dtype, {a.lanes.code, value}), dtype};
}

}  // namespace gradc
