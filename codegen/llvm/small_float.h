// The 16-bit floats in generated code, by integer operations: the bits of runtime/core/dtype.h on
// every processor.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc {

/// i16 to float, exactly.
Lanes bf16_to_f32(Lanes bits);
Lanes f16_to_f32(Lanes bits);
/// Float to i16, rounded to nearest even.
Lanes f32_to_bf16(Lanes a);
Lanes f32_to_f16(Lanes a);

}  // namespace gradc
