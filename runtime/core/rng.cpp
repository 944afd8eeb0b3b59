// Philox through Random123.
#include "runtime/core/rng.h"

#include <Random123/philox.h>

namespace gradc {
namespace {

uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9U;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t rng_key(uint64_t seed, uint64_t stream) {
  return mix(seed + 0x9E3779B97F4A7C15U * (mix(stream) | 1));
}

uint32_t random_word(const RngPosition& position, uint64_t index) {
  const uint64_t block = index / 64 * 16 + index % 16;
  const uint64_t key = rng_key(position.seed, position.stream);
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
       static_cast<uint32_t>(position.step), static_cast<uint32_t>(position.step >> 32)}};
  const r123::Philox4x32::key_type philox_key = {
      {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
  return r123::Philox4x32()(counter, philox_key)[index % 64 / 16];
}

float random_unit_f32(const RngPosition& position, uint64_t index) {
  return static_cast<float>(random_word(position, index) >> 8) * 0x1p-24F;
}

double random_unit_f64(const RngPosition& position, uint64_t index) {
  const uint64_t high = random_word(position, index) >> 5;
  const uint64_t low = random_word({position.seed, ~position.stream, position.step}, index) >> 6;
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

}  // namespace gradc
