// Values of generated code: one element or a vector of them, with the operators that formulas need.
//
// Float operations round each on its own; fma only where fma() is written. Comparisons of floats
// are ordered (false for NaN) but for `!=`. Integers are signed and wrap around.
#pragma once
#include <llvm/IR/IRBuilder.h>

#include <span>

#include "codegen/llvm/target.h"

namespace gradc {

/// Where instructions go and what for.
struct Code {
  llvm::IRBuilder<> builder;
  const Target& target;
  llvm::Module& module;
  int lanes;  // of vectors made now: the target's, or some of its vectors taken as one
};

/// An i1, integer, float or double, or a vector of one of them. `code` outlives it.
struct Lanes {
  Code* code;
  llvm::Value* value;

  llvm::Type* type() const { return value->getType(); }
  llvm::IRBuilder<>& builder() const { return code->builder; }
  bool is_vector() const { return type()->isVectorTy(); }
  bool is_f32() const { return type()->getScalarType()->isFloatTy(); }
  bool is_f64() const { return type()->getScalarType()->isDoubleTy(); }
  bool is_float() const { return is_f32() || is_f64(); }
  unsigned bit_width() const { return type()->getScalarSizeInBits(); }
};

/// A constant of the type of `a`; an integer type takes whole numbers.
Lanes like(Lanes a, double value);
Lanes like_bits(Lanes a, uint64_t bits);  // integers only
/// The type of `a` with another element type.
llvm::Type* with_element(Lanes a, llvm::Type* element);

Lanes operator+(Lanes a, Lanes b);
Lanes operator-(Lanes a, Lanes b);
Lanes operator*(Lanes a, Lanes b);
Lanes operator/(Lanes a, Lanes b);  // floats
Lanes operator-(Lanes a);
inline Lanes operator+(Lanes a, double b) { return a + like(a, b); }
inline Lanes operator-(Lanes a, double b) { return a - like(a, b); }
inline Lanes operator*(Lanes a, double b) { return a * like(a, b); }
inline Lanes operator/(Lanes a, double b) { return a / like(a, b); }
inline Lanes operator+(double a, Lanes b) { return like(b, a) + b; }
inline Lanes operator-(double a, Lanes b) { return like(b, a) - b; }
inline Lanes operator*(double a, Lanes b) { return like(b, a) * b; }

Lanes operator<(Lanes a, Lanes b);
Lanes operator<=(Lanes a, Lanes b);
Lanes operator>(Lanes a, Lanes b);
Lanes operator>=(Lanes a, Lanes b);
Lanes operator==(Lanes a, Lanes b);
Lanes operator!=(Lanes a, Lanes b);
inline Lanes operator<(Lanes a, double b) { return a < like(a, b); }
inline Lanes operator>(Lanes a, double b) { return a > like(a, b); }
inline Lanes operator<=(Lanes a, double b) { return a <= like(a, b); }
inline Lanes operator>=(Lanes a, double b) { return a >= like(a, b); }
inline Lanes operator==(Lanes a, double b) { return a == like(a, b); }
inline Lanes operator!=(Lanes a, double b) { return a != like(a, b); }

/// Bitwise; of integers and of truth values.
Lanes operator&(Lanes a, Lanes b);
Lanes operator|(Lanes a, Lanes b);
Lanes operator^(Lanes a, Lanes b);
Lanes operator~(Lanes a);
Lanes shift_left(Lanes a, unsigned bits);
Lanes shift_right(Lanes a, unsigned bits);         // zeros come in
Lanes shift_right_signed(Lanes a, unsigned bits);  // sign bits come in

Lanes select(Lanes truth, Lanes a, Lanes b);
Lanes is_nan(Lanes a);

/// a * b + c in one rounding.
Lanes fma(Lanes a, Lanes b, Lanes c);
inline Lanes fma(Lanes a, double b, Lanes c) { return fma(a, like(a, b), c); }
inline Lanes fma(Lanes a, double b, double c) { return fma(a, like(a, b), like(a, c)); }
/// c0 + x (c1 + x (c2 + ...)), by Horner with fma.
Lanes polynomial(Lanes x, std::span<const double> coefficients);

/// The bound where `a` is beyond it; NaN stays NaN.
Lanes clamp_above(Lanes a, double bound);
Lanes clamp_below(Lanes a, double bound);

Lanes magnitude(Lanes a);  // clears the sign bit
Lanes with_sign_of(Lanes a, Lanes sign);
Lanes round_even(Lanes a);
Lanes round_down(Lanes a);
Lanes round_up(Lanes a);
Lanes square_root(Lanes a);

/// The same bits as an integer of the width of `a`, and back.
Lanes bits_of(Lanes a);
Lanes from_bits(Lanes a, Lanes like_this);
/// f32 to f64 and back (rounded).
Lanes widen(Lanes a);
Lanes narrow(Lanes a);
/// Signed integers as the float type of `like_this`.
Lanes to_float(Lanes a, Lanes like_this);

/// a in all lanes; itself if it is a vector already.
Lanes splat(Lanes a, int lanes);
/// An intrinsic with one overloaded type: that of the first operand.
Lanes call_intrinsic(llvm::Intrinsic::ID id, std::initializer_list<Lanes> operands);

}  // namespace gradc
