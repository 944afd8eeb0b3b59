// Parts of the logarithm that other functions are made of.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc::math {

inline constexpr double kLn2High = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2Low = 0x1.abc9e3b39803fp-56;

/// x = 2^n m with m in [3/4, 3/2).
struct Exponent {
  Lanes n;  // an integer
  Lanes m;
};
/// For positive, normal, finite x (else something defined).
Exponent split_exponent(Lanes x);

/// The same for all positive finite x, denormals too; n as a float beside.
struct NormalExponent {
  Exponent exponent;  // of x, or of x times a power of two
  Lanes n;            // of x
};
NormalExponent split_normal(Lanes x);

/// `y` where x > 0 and finite; -inf at 0, NaN below, inf and NaN as they are.
Lanes with_log_edges(Lanes x, Lanes y);

}  // namespace gradc::math
