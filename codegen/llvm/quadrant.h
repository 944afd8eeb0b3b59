// Reduction of an angle to the nearest multiple of pi/2, exact for every finite number.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc::math {

/// x = n pi/2 + r_high + r_low with |r| <= pi/4 (a little more for large n); all f64, `n` an
/// integer of which only the low two bits mean something. NaN and infinities give NaN.
struct Quadrant {
  Lanes n;
  Lanes r_high;
  Lanes r_low;
};
Quadrant reduce_quadrant(Lanes x);

}  // namespace gradc::math
