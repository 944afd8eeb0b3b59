// Random numbers in generated code: the bits of runtime/core/rng.h.
#pragma once
#include <array>

#include "codegen/llvm/lanes.h"

namespace gradc {

/// rng_key(seed, stream), all i64 elements.
Lanes draw_key(Lanes seed, Lanes stream);

/// The four words of Philox's block `number` (i64, one or a vector) under `key`, at step `step` (an
/// i64 element); each in the low half of an i64.
using DrawBlock = std::array<Lanes, 4>;
DrawBlock draw_block(Lanes key, Lanes step, Lanes number);
/// One of them as i32.
Lanes word_of(const DrawBlock& block, int word);

/// random_word at `index` (i64, one or a vector): i32.
Lanes draw_word(Lanes key, Lanes step, Lanes index);

/// The values made of words: of one, and of one of the stream and one of the flipped stream.
Lanes unit_f32(Lanes word);
Lanes unit_f64(Lanes word, Lanes word_of_flipped_stream);

}  // namespace gradc
