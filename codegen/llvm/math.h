// Mathematical functions as instructions: our own polynomials, for f32 and f64, one element or a
// vector of them with the same bits. Nothing is called. Maximum errors are measured by
// tests/codegen/math_accuracy.cpp and listed in docs/math.md; denormals, infinities, NaN and -0 are
// right everywhere.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc::math {

/// e^x = 2^n e^r: n = round(x / ln 2), polynomial in r of degree 6 (f64: 11).
Lanes exp(Lanes x);
/// e^x - 1 = 2^n (e^r - 1) + (2^n - 1): polynomial of degree 7 (f64: 12).
Lanes expm1(Lanes x);
/// 1 / (1 + e) where x >= 0, else e / (1 + e), with e = exp(-|x|).
Lanes sigmoid(Lanes x);
/// e / (e + 2) with e = expm1(2 |x|), the sign of x.
Lanes tanh(Lanes x);

/// x = 2^n (1 + f), f in [-1/4, 1/2): n ln 2 + log1p(f); f32: polynomial of degree 10, f64: in
/// s = f / (2 + f) of degree 17.
Lanes log(Lanes x);
/// As log, with f made from x without rounding 1 + x.
Lanes log1p(Lanes x);
/// |x|^y = e^(y log |x|), f32 in double precision, f64 with a logarithm of two doubles; edge cases
/// as C's pow.
Lanes pow(Lanes x, Lanes y);

/// x P(x^2) where |x| < 1, else 1 - erfc |x| with the sign of x (f32: 1 - e^P(|x|)).
Lanes erf(Lanes x);
/// 1 - x - x P(x^2) where |x| < 1/2; else e^(-x^2) P(t) / (1 + 2 x), t = (x - k) / (x + k), for
/// positive x and 2 - erfc(-x) for negative.
Lanes erfc(Lanes x);

/// x = n pi/2 + r, |r| <= pi/4; polynomials in r^2.
Lanes sin(Lanes x);
Lanes cos(Lanes x);

}  // namespace gradc::math
