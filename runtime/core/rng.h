// Counter-based random numbers: the value of a draw depends on its coordinates, not on who draws
// it.
#pragma once
#include <cstdint>
#include <span>

namespace gradc {

/// Where a draw stands: the run's seed, the stream of the drawing node (a hash of its path), the
/// step.
struct RngPosition {
  uint64_t seed = 0;
  uint64_t stream = 0;
  uint64_t step = 0;
};

/// A 64-bit mixing of the seed and the stream: the Philox key, low word first.
/// mix(x) = splitmix64's finalizer; key = mix(seed + 0x9E3779B97F4A7C15 * (mix(stream) | 1)).
uint64_t rng_key(uint64_t seed, uint64_t stream);

/// Word of element `index`: Philox 4x32-10 (Salmon et al., 2011) under rng_key, at the counter
/// {block low, block high, step low, step high}, where block = index / 64 * 16 + index % 16 and the
/// word of the block is index % 64 / 16. So 16 neighbours are one word of 16 consecutive counters:
/// vector code computes whole blocks in its lanes.
uint32_t random_word(const RngPosition& position, uint64_t index);

/// Uniform in [0, 1): the top 24 bits of the word, times 2^-24.
float random_unit_f32(const RngPosition& position, uint64_t index);

/// Uniform in [0, 1) with 53 bits: the top 27 of the word and the top 26 of the same element's word
/// in the stream with all bits flipped.
double random_unit_f64(const RngPosition& position, uint64_t index);

/// random_unit_f64 of the indices first to first + 63 at once; first is a multiple of 64.
void random_units_f64(const RngPosition& position, uint64_t first, std::span<double, 64> units);

}  // namespace gradc
