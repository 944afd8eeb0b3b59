// Philox 4x32-10 (Salmon et al., 2011) with each 32-bit word in a 64-bit lane: the wide products
// then need no shuffles. What stands in the upper half of a lane is ignored.
#include "codegen/llvm/draw.h"

namespace gradc {
namespace {

constexpr uint64_t kLowWord = 0xFFFFFFFF;
constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;

Lanes mix(Lanes x) {
  x = (x ^ shift_right(x, 30)) * like_bits(x, 0xBF58476D1CE4E5B9);
  x = (x ^ shift_right(x, 27)) * like_bits(x, 0x94D049BB133111EB);
  return x ^ shift_right(x, 31);
}

Lanes low_word(Lanes x) { return x & like_bits(x, kLowWord); }

Lanes spread_like(Lanes a, Lanes vector) {
  const auto* type = llvm::dyn_cast<llvm::FixedVectorType>(vector.type());
  return type == nullptr ? a : splat(a, static_cast<int>(type->getNumElements()));
}

DrawBlock philox(DrawBlock counter, Lanes key) {
  Lanes key0 = low_word(key), key1 = shift_right(key, 32);
  for (int round = 0; round < 10; ++round) {
    const Lanes product0 = low_word(counter[0]) * like_bits(counter[0], 0xD2511F53);
    const Lanes product1 = low_word(counter[2]) * like_bits(counter[2], 0xCD9E8D57);
    const Lanes round_key0 = spread_like(key0, counter[0]);
    const Lanes round_key1 = spread_like(key1, counter[0]);
    counter = {shift_right(product1, 32) ^ counter[1] ^ round_key0, product1,
               shift_right(product0, 32) ^ counter[3] ^ round_key1, product0};
    key0 = key0 + like_bits(key0, 0x9E3779B9);
    key1 = key1 + like_bits(key1, 0xBB67AE85);
  }
  return counter;
}

Lanes bit(Lanes a, unsigned position) {
  return (shift_right(a, position) & like_bits(a, 1)) != like_bits(a, 0);
}

}  // namespace

Lanes draw_key(Lanes seed, Lanes stream) {
  return mix(seed + (mix(stream) | like_bits(stream, 1)) * like_bits(stream, kGolden));
}

DrawBlock draw_block(Lanes key, Lanes step, Lanes number) {
  const Lanes wide_step = spread_like(step, number);
  return philox({number, shift_right(number, 32), wide_step, shift_right(wide_step, 32)}, key);
}

Lanes word_of(const DrawBlock& block, int word) {
  const Lanes wide = block[static_cast<size_t>(word)];
  auto& builder = wide.builder();
  return {wide.code, builder.CreateTrunc(wide.value, with_element(wide, builder.getInt32Ty()))};
}

Lanes draw_word(Lanes key, Lanes step, Lanes index) {
  const Lanes number = shift_left(shift_right(index, 6), 4) | (index & like_bits(index, 15));
  const DrawBlock words = draw_block(key, step, number);
  const Lanes is_odd = bit(index, 4);
  const Lanes word =
      select(bit(index, 5), select(is_odd, words[3], words[2]), select(is_odd, words[1], words[0]));
  return word_of({word, word, word, word}, 0);
}

Lanes unit_f32(Lanes word) {
  const Lanes top = shift_right(word, 8);
  auto& builder = top.builder();
  const Lanes number{top.code,
                     builder.CreateSIToFP(top.value, with_element(top, builder.getFloatTy()))};
  return number * 0x1p-24;
}

Lanes unit_f64(Lanes word, Lanes word_of_flipped_stream) {
  auto& builder = word.builder();
  llvm::Type* type = with_element(word, builder.getDoubleTy());
  const Lanes high{word.code, builder.CreateSIToFP(shift_right(word, 5).value, type)};
  const Lanes low{word.code,
                  builder.CreateSIToFP(shift_right(word_of_flipped_stream, 6).value, type)};
  return fma(high, 0x1p26, low) * 0x1p-53;
}

}  // namespace gradc
