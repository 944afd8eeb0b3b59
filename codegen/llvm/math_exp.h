// Parts of the exponential that other functions are made of.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc::math {

/// x = n ln 2 + r with |r| <= 0.347; for |x| up to 1000. The low 16 bits of `n_bits` are n, those
/// above something else.
struct ExpReduction {
  Lanes n;       // as a float
  Lanes n_bits;  // as an integer of the width of x
  Lanes r;
};
ExpReduction reduce_exp(Lanes x);
/// e^r for |r| <= 0.347.
Lanes exp_polynomial(Lanes r);
/// y * 2^n, rounded once; y within [1/4, 4], |n| at most 200 (f64: 1500).
Lanes scale(Lanes y, const ExpReduction& reduction);

}  // namespace gradc::math
