// Philox through Random123.
#include "runtime/core/rng.h"

#include <Random123/philox.h>

#include "runtime/core/error.h"

namespace gradc {
namespace {

uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9U;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Elements whose words are those of the same blocks, and the number of these.
constexpr uint64_t kElements = 64;
constexpr uint64_t kBlocks = 16;

r123::Philox4x32::ctr_type words(uint64_t key, uint64_t step, uint64_t block) {
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
       static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)}};
  const r123::Philox4x32::key_type philox_key = {
      {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
  return r123::Philox4x32()(counter, philox_key);
}

double unit_of(uint32_t word, uint32_t word_of_flipped_stream) {
  const uint64_t high = word >> 5;
  const uint64_t low = word_of_flipped_stream >> 6;
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

}  // namespace

uint64_t rng_key(uint64_t seed, uint64_t stream) {
  return mix(seed + 0x9E3779B97F4A7C15U * (mix(stream) | 1));
}

uint32_t random_word(const RngPosition& position, uint64_t index) {
  const uint64_t block = index / kElements * kBlocks + index % kBlocks;
  const uint64_t key = rng_key(position.seed, position.stream);
  return words(key, position.step, block)[index % kElements / kBlocks];
}

float random_unit_f32(const RngPosition& position, uint64_t index) {
  return static_cast<float>(random_word(position, index) >> 8) * 0x1p-24F;
}

double random_unit_f64(const RngPosition& position, uint64_t index) {
  return unit_of(random_word(position, index),
                 random_word({position.seed, ~position.stream, position.step}, index));
}

void random_units_f64(const RngPosition& position, uint64_t first, std::span<double, 64> units) {
  CHECK(first % kElements == 0, "units from {}", first);
  const uint64_t key = rng_key(position.seed, position.stream);
  const uint64_t flipped_key = rng_key(position.seed, ~position.stream);
  for (uint64_t b = 0; b < kBlocks; ++b) {
    const uint64_t block = first / kElements * kBlocks + b;
    const auto high = words(key, position.step, block);
    const auto low = words(flipped_key, position.step, block);
    for (uint64_t word = 0; word < high.size(); ++word)
      units[word * kBlocks + b] = unit_of(high[word], low[word]);
  }
}

}  // namespace gradc
