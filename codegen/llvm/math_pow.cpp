// pow.
#include <array>
#include <limits>

#include "codegen/llvm/math.h"
#include "codegen/llvm/math_exp.h"
#include "codegen/llvm/math_log.h"

namespace gradc::math {
namespace {

// (2 atanh(s) / s - 2) / s^2 = 2/3 + s^2 P(s^2) on s^2 in [0, 0.0401], by Sollya's fpminimax;
// relative error of atanh 2^-75.6.
constexpr double kTwoThirds = 0x1.5555555555555p-1;
constexpr double kTwoThirdsLow = 0x1.5555555555555p-55;
constexpr std::array kPowAtanh{0x1.999999999999ap-2, 0x1.2492492492358p-2, 0x1.c71c71c747ff9p-3,
                               0x1.745d172d45de5p-3, 0x1.3b13b9437dd39p-3, 0x1.110f72f7ba118p-3,
                               0x1.e249e2f8b7db1p-4, 0x1.a73f80c94d6e6p-4, 0x1.da75ab3ff86fap-4};

// Of atanh as above, relative error 2^-42, and e^r on |r| <= 0.347, 2^-34: enough for f32.
constexpr std::array kAtanhForF32{0x1.555555591cc8ap-1, 0x1.99998f36dfd27p-2, 0x1.2496e914b41aep-2,
                                  0x1.c5523e79c0c44p-3, 0x1.9c2d7e1bb90b4p-3};
constexpr std::array kExpForF32{1.0,
                                1.0,
                                0x1.0000003a858f8p-1,
                                0x1.555554415c3dap-3,
                                0x1.55548ce20850bp-5,
                                0x1.11127250caac3p-7,
                                0x1.6d8ddc449ef76p-10,
                                0x1.9f07ed7f94202p-13};

/// A number as the sum of two, the second within the last place of the first.
struct TwoParts {
  Lanes high;
  Lanes low;
};

/// a + b where |a| >= |b| or a = 0, exactly.
TwoParts sum_of(Lanes a, Lanes b) {
  const Lanes high = a + b;
  return {high, b - (high - a)};
}
/// a * b, exactly.
TwoParts product_of(Lanes a, Lanes b) {
  const Lanes high = a * b;
  return {high, fma(a, b, -high)};
}

/// ln x for positive x, 0 and infinity included; f64. Relative error 2^-65 or so.
TwoParts precise_log(Lanes x) {
  const NormalExponent split = split_normal(x);
  const Lanes f = split.exponent.m - 1;
  const TwoParts divisor = sum_of(like(x, 2), f);
  const Lanes s = f / divisor.high;
  const Lanes s_low = (fma(-s, divisor.high, f) - s * divisor.low) / divisor.high;
  // atanh's series: 2 s + s^3 (2/3 + s^2 P(s^2)), two parts in all but P.
  const Lanes square = s * s;
  const Lanes square_low = fma(s, s, -square) + 2 * s * s_low;
  const TwoParts series = sum_of(like(x, kTwoThirds), square * polynomial(square, kPowAtanh));
  const TwoParts cube = product_of(s, square);
  const Lanes cube_low = cube.low + fma(s, square_low, s_low * square);
  const TwoParts term = product_of(cube.high, series.high);
  const Lanes series_low = series.low + kTwoThirdsLow;
  const Lanes term_low = term.low + fma(cube.high, series_low, cube_low * series.high);
  const TwoParts fraction = sum_of(2 * s, term.high);
  const Lanes fraction_low = fraction.low + (term_low + 2 * s_low);
  const TwoParts whole = product_of(split.n, like(x, kLn2High));
  const TwoParts head = sum_of(whole.high, fraction.high);
  const Lanes tail = head.low + (whole.low + fma(split.n, kLn2Low, fraction_low));
  const TwoParts sum = sum_of(head.high, tail);
  const Lanes high = with_log_edges(x, sum.high);
  return {high,
          select(magnitude(high) < std::numeric_limits<double>::infinity(), sum.low, like(x, 0))};
}

/// |x|^y for f64.
Lanes power_f64(Lanes x, Lanes y) {
  const TwoParts log_x = precise_log(x);
  const TwoParts product = product_of(y, log_x.high);
  const Lanes is_moderate = magnitude(product.high) < 1000;
  const Lanes low = select(is_moderate, fma(y, log_x.low, product.low), like(x, 0));
  ExpReduction reduction = reduce_exp(clamp_below(clamp_above(product.high, 711), -746));
  reduction.r = reduction.r + low;
  return scale(exp_polynomial(reduction.r), reduction);
}

/// |x|^y for f32, computed in f64 to 2^-33.
Lanes power_f32(Lanes x, Lanes y) {
  const Lanes base = widen(x);
  const Exponent split = split_exponent(base);
  const Lanes f = split.m - 1;
  const Lanes s = f / (2 + f);
  const Lanes s2 = s * s;
  const Lanes fraction = fma(s * s2, polynomial(s2, kAtanhForF32), s + s);
  const Lanes log_x = with_log_edges(base, fma(to_float(split.n, base), kLn2High, fraction));
  const Lanes exponent = clamp_below(clamp_above(widen(y) * log_x, 200), -200);
  const ExpReduction reduction = reduce_exp(exponent);
  return narrow(scale(polynomial(reduction.r, kExpForF32), reduction));
}

Lanes is_whole(Lanes a) { return round_down(a) == a; }

}  // namespace

Lanes pow(Lanes x, Lanes y) {
  const Lanes base = magnitude(x);
  const Lanes one = like(x, 1);
  Lanes power = x.is_f32() ? power_f32(base, y) : power_f64(base, y);
  power = select(base == one, select(is_nan(y), y, one), power);
  const Lanes is_negative = bits_of(x) < like_bits(bits_of(x), 0);
  const Lanes is_odd = is_whole(y) & ~is_whole(y * 0.5);
  power = select(is_negative & is_odd, -power, power);
  const double infinity = std::numeric_limits<double>::infinity();
  const Lanes is_undefined = (x < 0) & (x > -infinity) & ~is_whole(y) & ~is_nan(y);
  const Lanes nan = like(x, std::numeric_limits<double>::quiet_NaN());
  power = select(is_undefined, nan, power);
  return select((y == 0) | (x == one), one, power);
}

}  // namespace gradc::math
