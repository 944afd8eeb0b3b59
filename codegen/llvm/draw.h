// Random numbers in generated code: the bits of runtime/core/rng.h.
#pragma once
#include "codegen/llvm/lanes.h"

namespace gradc {

/// rng_key(seed, stream); seed is an i64 element, the key too.
Lanes draw_key(Lanes seed, uint64_t stream);

/// random_word at `index` (i64, one or a vector) under `key`, at step `step` (an i64 element): i32.
Lanes draw_word(Lanes key, Lanes step, Lanes index);

/// The values made of words: of one, and of one of the stream and one of the flipped stream.
Lanes unit_f32(Lanes word);
Lanes unit_f64(Lanes word, Lanes word_of_flipped_stream);

}  // namespace gradc
