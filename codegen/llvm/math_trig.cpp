// sin, cos.
#include <array>

#include "codegen/llvm/math.h"
#include "codegen/llvm/quadrant.h"

namespace gradc::math {
namespace {

// (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 in r^2 on |r| <= 0.7855, by Sollya's
// fpminimax; relative errors 2^-27.9 and 2^-33 (f32), 2^-57.9 and 2^-63.9 (f64).
constexpr std::array kSinF32{-0x1.555546p-3, 0x1.110778p-7, -0x1.9953fep-13};
constexpr std::array kCosF32{0x1.55554ap-5, -0x1.6c0c2ap-10, 0x1.99e91p-16};
constexpr std::array kSinF64{-0x1.5555555555548p-3, 0x1.111111110f75dp-7,   -0x1.a01a019bf2245p-13,
                             0x1.71de355f08074p-19, -0x1.ae5e547521ad6p-26, 0x1.5d8e3646bbdb9p-33};
constexpr std::array kCosF64{0x1.555555555554bp-5,  -0x1.6c16c16c15016p-10,
                             0x1.a01a019c8f3f9p-16, -0x1.27e4f7f19e747p-22,
                             0x1.1ee9dbd21dbf9p-29, -0x1.8fa682cb33e08p-37};

/// sin(r + low); low is the rounding error of r.
Lanes sin_polynomial(Lanes r, Lanes low) {
  const Lanes z = r * r;
  const Lanes p = r.is_f32() ? polynomial(z, kSinF32) : polynomial(z, kSinF64);
  // The derivative of sin, 1 - r^2/2, times low.
  const Lanes correction = fma(z * -0.5, low, low);
  return r + fma(r * z, p, correction);
}

Lanes cos_polynomial(Lanes r, Lanes low) {
  const Lanes z = r * r;
  const Lanes p = r.is_f32() ? polynomial(z, kCosF32) : polynomial(z, kCosF64);
  // 1 - r^2/2 in two parts.
  const Lanes head = fma(z, -0.5, 1.0);
  const Lanes rest = fma(z, -0.5, 1 - head);
  return head + fma(z * z, p, rest - r * low);
}

/// sin(x + shift pi/2).
Lanes sine(Lanes x, double shift) {
  const Quadrant quadrant = reduce_quadrant(x.is_f32() ? widen(x) : x);
  Lanes n = quadrant.n + shift;
  Lanes r = quadrant.r_high, low = quadrant.r_low;
  if (x.is_f32()) {
    r = narrow(quadrant.r_high);
    low = narrow(quadrant.r_high - widen(r));
    n = {n.code, n.builder().CreateTrunc(n.value, bits_of(x).type())};
  }
  const Lanes is_odd = (n & like_bits(n, 1)) != like_bits(n, 0);
  const Lanes y = select(is_odd, cos_polynomial(r, low), sin_polynomial(r, low));
  const Lanes sign = shift_left(shift_right(n, 1), n.bit_width() - 1);
  return from_bits(bits_of(y) ^ sign, x);
}

}  // namespace

Lanes sin(Lanes x) { return select(x == 0, x, sine(x, 0)); }
Lanes cos(Lanes x) { return sine(x, 1); }

}  // namespace gradc::math
