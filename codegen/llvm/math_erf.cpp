// erf, erfc.
#include <array>

#include "codegen/llvm/math.h"
#include "codegen/llvm/math_exp.h"

namespace gradc::math {
namespace {

// erf(x) / x - 1 in x^2 on [0, 1], by Sollya's fpminimax; relative error of erf 2^-30.1 and
// 2^-56.3.
constexpr std::array kErfF32{0x1.06eba8p-3, -0x1.812744p-2,  0x1.ce2eaap-4,  -0x1.b8234ap-6,
                             0x1.55ef4p-8,  -0x1.ba873ep-11, 0x1.ccec0ap-14, -0x1.2c8c84p-17};
constexpr std::array kErfF64{0x1.06eba8214db69p-3,   -0x1.812746b037a03p-2,  0x1.ce2f21a043c8fp-4,
                             -0x1.b82ce312d382fp-6,  0x1.565bcd1a764e1p-8,   -0x1.c02db677ccc03p-11,
                             0x1.f9a37e4259822p-14,  -0x1.f4dacbdc81a17p-17, 0x1.ba7b938ebc7d3p-20,
                             -0x1.66cda8f6d3e48p-23, 0x1.4084cc8426dffp-26,  -0x1.231b67ce9cad1p-28,
                             0x1.c40bbd0684237p-30,  -0x1.0857be79ec298p-31, 0x1.2030615c2d472p-34};
// ln erfc(x) on [0.99, 4]; error of erf 2^-28.8.
constexpr std::array kLogErfcF32{0x1.326574p-12, -0x1.214fcep0,   -0x1.43966ap-1,
                                 -0x1.c23672p-4, 0x1.af6556p-6,   -0x1.35e43ep-8,
                                 0x1.358674p-11, -0x1.7c23bcp-15, 0x1.adab5cp-20};
// (1 + 2 x) e^(x^2) erfc(x) in t = (x - k) / (x + k): k = 2, x to 10.2, relative error 2^-25.5;
// k = 4, x to 28, 2^-54.4.
constexpr std::array kErfcF32{0x1.46e80ep0,    -0x1.7bf618p-4, -0x1.5408p-3,  0x1.4ffc68p-3,
                              -0x1.bc12cep-5,  -0x1.082ffcp-7, 0x1.1b2d46p-7, 0x1.5a4b4p-10,
                              -0x1.44bb74p-10, -0x1.abb222p-12};
constexpr std::array kErfcF64{
    0x1.3ba5916e9fd7fp0,    -0x1.1df1ad154a28fp-3,  0x1.f7f5df66fc951p-7,   0x1.16ecefcfa544p-4,
    -0x1.9ddb23c3e4717p-4,  0x1.7fee004e113c1p-4,   -0x1.0fb06dfea0aap-4,   0x1.3079edf6914b6p-5,
    -0x1.096238769f6d1p-6,  0x1.49c6728a9b581p-8,   -0x1.8d4aa59f47779p-11, -0x1.a1df308fe1f43p-13,
    0x1.3be100915b04ep-13,  -0x1.9956d7d3c97a6p-16, -0x1.78a5cc73cfb2cp-17, 0x1.7f03a8c4cc608p-18,
    0x1.40c0f93c4961ap-22,  -0x1.b86c949250907p-21, 0x1.2bc53af42cfccp-24,  0x1.bc43bddfdc709p-24,
    -0x1.0fc5553881c9fp-26, -0x1.3ed648f6f74e8p-27, 0x1.2f4338b40afd3p-29,  -0x1.09a5e292c3b5dp-32,
    -0x1.16be68a4d86fep-31};

// As erf, on [0, 1/2]; relative errors 2^-28.9 and 2^-56.3.
constexpr std::array kNearF32{0x1.06eba8p-3, -0x1.81273p-2, 0x1.ce23d4p-4, -0x1.b6425p-6,
                              0x1.34161p-8};
constexpr std::array kNearF64{0x1.06eba8214db69p-3,  -0x1.812746b037a18p-2, 0x1.ce2f21a045de8p-4,
                              -0x1.b82ce313fca4bp-6, 0x1.565bcd6c5aa5ap-8,  -0x1.c02dcfdab1516p-11,
                              0x1.f9a81ae4589aep-14, -0x1.f555328d076p-17,  0x1.c0bbe10b97a04p-20,
                              -0x1.76854781a483cp-23};

/// erfc(a) for a >= 0, 0 where it is below the smallest denormal.
Lanes erfc_of_magnitude(Lanes magnitude) {
  const bool is_f32 = magnitude.is_f32();
  const Lanes a = clamp_above(magnitude, is_f32 ? 10.2 : 27.5);
  const double k = is_f32 ? 2 : 4;
  const Lanes t = (a - k) / (a + k);
  const Lanes p = is_f32 ? polynomial(t, kErfcF32) : polynomial(t, kErfcF64);
  // -a^2 as a sum of two numbers, the second of which joins after the reduction.
  const Lanes square = a * a;
  const Lanes rest = fma(a, a, -square);
  ExpReduction reduction = reduce_exp(-square);
  reduction.r = reduction.r - rest;
  const Lanes quotient = p / fma(a, 2, 1.0);
  return scale(exp_polynomial(reduction.r) * quotient, reduction);
}

}  // namespace

Lanes erf(Lanes x) {
  const Lanes a = magnitude(x);
  const Lanes x2 = x * x;
  const Lanes small = fma(x, x.is_f32() ? polynomial(x2, kErfF32) : polynomial(x2, kErfF64), x);
  Lanes large = a;
  if (x.is_f32()) {
    const ExpReduction reduction = reduce_exp(polynomial(clamp_above(a, 4), kLogErfcF32));
    large = 1 - scale(exp_polynomial(reduction.r), reduction);
  } else {
    large = 1 - erfc_of_magnitude(a);
  }
  return select(a < 1, small, with_sign_of(large, x));
}

Lanes erfc(Lanes x) {
  const Lanes a = magnitude(x);
  const Lanes y = erfc_of_magnitude(a);
  const Lanes far = select(x < 0, 2 - y, y);
  const Lanes x2 = x * x;
  const Lanes p = x.is_f32() ? polynomial(x2, kNearF32) : polynomial(x2, kNearF64);
  return select(a < 0.5, fma(-x, p, 1 - x), far);
}

}  // namespace gradc::math
