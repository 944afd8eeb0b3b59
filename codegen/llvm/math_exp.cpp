// exp, expm1, sigmoid, tanh.
#include "codegen/llvm/math_exp.h"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <array>

#include "codegen/llvm/math.h"
#include "runtime/core/error.h"

namespace gradc::math {
namespace {

constexpr double kInverseLn2 = 0x1.71547652b82fep0;

// Sollya: fpminimax(exp(x), [|2, ..., 6|], [|SG...|], [-0.347; 0.347], 1 + x); relative error
// 2^-28.2 and, in double precision with degree 11, 2^-57.8.
constexpr std::array kExpF32{1.0,           1.0,          0x1.fffffcp-2, 0x1.55549p-3,
                             0x1.5558a2p-5, 0x1.123adp-7, 0x1.6a5e34p-10};
constexpr std::array kExpF64{1.0,
                             1.0,
                             0x1.000000000000ap-1,
                             0x1.55555555554fcp-3,
                             0x1.555555555067bp-5,
                             0x1.1111111127257p-7,
                             0x1.6c16c1848d831p-10,
                             0x1.a01a012dd5481p-13,
                             0x1.a01999128ca8fp-16,
                             0x1.71df1ce6681ccp-19,
                             0x1.28ae4e475fcb6p-22,
                             0x1.ad8dcc540e8c5p-26};
// (expm1(r) / r - 1) / r; relative error of expm1 2^-31.9 and 2^-61.7.
constexpr std::array kExpm1F32{0.5,           0x1.555554p-3, 0x1.5554fp-5,
                               0x1.111306p-7, 0x1.6d439p-10, 0x1.9e0cdp-13};
constexpr std::array kExpm1F64{0.5,
                               0x1.5555555555559p-3,
                               0x1.555555555554dp-5,
                               0x1.111111110f647p-7,
                               0x1.6c16c16c1ab02p-10,
                               0x1.a01a01b00d184p-13,
                               0x1.a01a018e123ffp-16,
                               0x1.71ddf7eeb87adp-19,
                               0x1.27e51320f713bp-22,
                               0x1.af5f7219eff66p-26,
                               0x1.1f1a80cbdd40dp-29};

unsigned mantissa_bits(Lanes x) { return x.is_f32() ? 23 : 52; }
double exponent_bias(Lanes x) { return x.is_f32() ? 127 : 1023; }

/// e^r - 1 for |r| <= 0.347.
Lanes expm1_polynomial(Lanes r) {
  const Lanes h = r.is_f32() ? polynomial(r, kExpm1F32) : polynomial(r, kExpm1F64);
  return fma(r, r * h, r);
}

/// 2^n as a float; n within the normal exponents.
Lanes power_of_two(Lanes n_bits, Lanes like_this) {
  const Lanes biased = n_bits + exponent_bias(like_this);
  return from_bits(shift_left(biased, mantissa_bits(like_this)), like_this);
}

/// y 2^n by vscalefps, a vector of 16 at a time.
Lanes scale_vectors(Lanes y, Lanes n) {
  auto& builder = y.builder();
  llvm::Value* all = builder.getInt16(0xFFFF);
  llvm::Value* nearest = builder.getInt32(4);  // the current rounding mode
  const auto lanes = llvm::cast<llvm::FixedVectorType>(y.type())->getNumElements();
  CHECK(lanes % 16 == 0, "vectors of {}", lanes);
  llvm::SmallVector<llvm::Value*> parts;
  for (int first = 0; first < static_cast<int>(lanes); first += 16) {
    const auto part = [&](llvm::Value* vector) {
      llvm::SmallVector<int> order;
      for (int lane = first; lane < first + 16; ++lane) order.push_back(lane);
      return lanes == 16 ? vector : builder.CreateShuffleVector(vector, order);
    };
    llvm::Value* base = part(y.value);
    parts.push_back(builder.CreateIntrinsic(llvm::Intrinsic::x86_avx512_mask_scalef_ps_512, {},
                                            {base, part(n.value), base, all, nearest}));
  }
  return {y.code, llvm::concatenateVectors(builder, parts)};
}

}  // namespace

ExpReduction reduce_exp(Lanes x) {
  // Adding 1.5 * 2^52 (2^23) leaves the rounded quotient in the low bits, also of a NaN something
  // defined, which a conversion to integer would not.
  const double magic = x.is_f32() ? 0x1.8p23 : 0x1.8p52;
  const Lanes shifted = fma(x, x.is_f32() ? 0x1.715476p0 : kInverseLn2, magic);
  const Lanes n = shifted - magic;
  const double ln2_high = x.is_f32() ? 0x1.62e43p-1 : 0x1.62e42fefa39efp-1;
  const double ln2_low = x.is_f32() ? -0x1.05c61p-29 : 0x1.abc9e3b39803fp-56;
  const Lanes r = fma(n, -ln2_low, fma(n, -ln2_high, x));
  return {n, bits_of(shifted), r};
}

Lanes exp_polynomial(Lanes r) {
  return r.is_f32() ? polynomial(r, kExpF32) : polynomial(r, kExpF64);
}

Lanes scale(Lanes y, const ExpReduction& reduction) {
  if (y.is_f32() && y.is_vector() && y.code->target.has_avx512)
    return scale_vectors(y, reduction.n);
  // Two factors: the first product is exact, so denormal results are rounded once.
  const unsigned above = reduction.n_bits.bit_width() - 16;
  const Lanes n = shift_right_signed(shift_left(reduction.n_bits, above), above);
  const Lanes half = shift_right_signed(n, 1);
  return y * power_of_two(half, y) * power_of_two(n - half, y);
}

Lanes exp(Lanes x) {
  const Lanes bounded =
      x.is_f32() ? clamp_below(clamp_above(x, 89), -105) : clamp_below(clamp_above(x, 710), -746);
  const ExpReduction reduction = reduce_exp(bounded);
  return scale(exp_polynomial(reduction.r), reduction);
}

Lanes expm1(Lanes x) {
  const Lanes bounded =
      x.is_f32() ? clamp_below(clamp_above(x, 89), -20) : clamp_below(clamp_above(x, 710), -40);
  const ExpReduction reduction = reduce_exp(bounded);
  // Half of the result, as 2^n may overflow where the result does not.
  const Lanes half_power = power_of_two(reduction.n_bits - 1, x);
  const Lanes half = fma(half_power, expm1_polynomial(reduction.r), half_power - 0.5);
  return with_sign_of(half + half, x);
}

Lanes sigmoid(Lanes x) {
  const Lanes e = exp(-magnitude(x));
  const Lanes numerator = select(x >= 0, like(x, 1), e);
  return numerator / (1 + e);
}

Lanes tanh(Lanes x) {
  const Lanes twice = clamp_above(magnitude(x) * 2, x.is_f32() ? 20 : 44);
  const ExpReduction reduction = reduce_exp(twice);
  const Lanes power = power_of_two(reduction.n_bits, x);
  const Lanes e = fma(power, expm1_polynomial(reduction.r), power - 1);
  return with_sign_of(e / (e + 2), x);
}

}  // namespace gradc::math
