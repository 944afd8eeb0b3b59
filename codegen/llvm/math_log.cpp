// log, log1p.
#include "codegen/llvm/math_log.h"

#include <array>
#include <cmath>
#include <limits>

#include "codegen/llvm/math.h"

namespace gradc::math {
namespace {

constexpr double kLn2HighF32 = 0x1.62e43p-1;
constexpr double kLn2LowF32 = -0x1.05c61p-29;

// ((log1p(f) / f - 1) / f + 1/2) / f on [-1/4, 1/2], by Sollya's fpminimax; relative error of log1p
// 2^-27.6.
constexpr std::array kLog1pF32{0x1.5555a4p-2, -0x1.000042p-2, 0x1.996966p-3, -0x1.54ef16p-3,
                               0x1.2886b8p-3, -0x1.0d93f4p-3, 0x1.aca08ep-4, -0x1.713e36p-5};
// (2 atanh(s) / s - 2) / s^2 in s^2 on [0, 0.0401]; relative error of atanh 2^-62.7.
constexpr std::array kAtanhF64{0x1.555555555554fp-1, 0x1.999999999c17cp-2, 0x1.24924921e40f7p-2,
                               0x1.c71c74900282dp-3, 0x1.745c4ac9320dbp-3, 0x1.3b35c37e4837ap-3,
                               0x1.0dcb62a6fc946p-3, 0x1.1b8312736a1a4p-3};

unsigned mantissa_bits(Lanes x) { return x.is_f32() ? 23 : 52; }

/// 2^n; n within the normal exponents.
Lanes power_of_two(Lanes n, Lanes like_this) {
  const Lanes biased = n + (like_this.is_f32() ? 127 : 1023);
  return from_bits(shift_left(biased, mantissa_bits(like_this)), like_this);
}

/// n ln 2 + log1p(f) for f in [-1/4, 1/2).
Lanes assemble(Lanes n, Lanes f) {
  if (f.is_f32()) {
    const Lanes series = fma(polynomial(f, kLog1pF32), f, like(f, -0.5));
    const Lanes low = fma(f * f, series, n * kLn2LowF32);
    return fma(n, kLn2HighF32, f + low);
  }
  // With s = f / (2 + f): log1p(f) = f - (f^2/2 - s (f^2/2 + s^2 P(s^2))). Of f and f^2/2 the
  // first is exact, the others small.
  const Lanes s = f / (2 + f);
  const Lanes s2 = s * s;
  const Lanes half_square = f * f * 0.5;
  const Lanes series = s2 * polynomial(s2, kAtanhF64);
  const Lanes low = fma(s, half_square + series, n * kLn2Low);
  return fma(n, kLn2High, f - (half_square - low));
}

}  // namespace

Exponent split_exponent(Lanes x) {
  const Lanes bits = bits_of(x);
  const Lanes three_quarters = bits_of(like(x, 0.75));
  const Lanes n = shift_right_signed(bits - three_quarters, mantissa_bits(x));
  return {n, from_bits(bits - shift_left(n, mantissa_bits(x)), x)};
}

NormalExponent split_normal(Lanes x) {
  const double smallest_normal = x.is_f32() ? 0x1p-126 : 0x1p-1022;
  const double lift = x.is_f32() ? 24 : 54;
  const Lanes is_small = x < smallest_normal;
  const Exponent exponent = split_exponent(select(is_small, x * std::exp2(lift), x));
  const Lanes n = to_float(exponent.n, x);
  return {exponent, select(is_small, n - lift, n)};
}

Lanes with_log_edges(Lanes x, Lanes y) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Lanes nan = like(x, std::numeric_limits<double>::quiet_NaN());
  const Lanes outside = select(x == 0, like(x, -infinity), nan);
  return select(x < infinity, select(x > 0, y, outside), x);
}

Lanes log(Lanes x) {
  const NormalExponent split = split_normal(x);
  return with_log_edges(x, assemble(split.n, split.exponent.m - 1));
}

Lanes log1p(Lanes x) {
  const Lanes sum = 1 + x;
  const Exponent exponent = split_exponent(sum);
  const Lanes n = exponent.n;
  // f = x 2^-n + (2^-n - 1) in one rounding; where 1 is nothing beside x, the mantissa of x serves
  // (2^-n might be no normal number).
  const Lanes power = power_of_two(-n, x);
  const Lanes is_large = n > (x.is_f32() ? 40 : 70);
  const Lanes f = select(is_large, exponent.m - 1, fma(x, power, power - 1));
  const Lanes y = with_sign_of(assemble(to_float(n, x), f), x);
  return with_log_edges(sum, y);
}

}  // namespace gradc::math
