// Where sums of narrow floats are kept.
#pragma once
#include "runtime/core/dtype.h"

namespace gradc {

/// The dtype in which sums, products over axes and counts of `dtype` are kept until they are
/// rounded once: f32 for bf16 and f16, else itself. (A count above 65504 is no f16.)
constexpr DType accumulator_dtype(DType dtype) {
  return dtype == DType::F16 || dtype == DType::BF16 ? DType::F32 : dtype;
}

}  // namespace gradc
