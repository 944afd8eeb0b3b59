// The random numbers are Philox 4x32-10 at the documented counters.
#include "runtime/core/rng.h"

#include <Random123/philox.h>

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

using namespace gradc;

TEST_CASE("a word is the documented word of the documented block") {
  const RngPosition position{
      .seed = 7, .stream = 0x123456789ABCDEF0U, .step = (uint64_t{3} << 32) | 5};
  const uint64_t key = rng_key(position.seed, position.stream);
  for (uint64_t index : {uint64_t{0}, uint64_t{15}, uint64_t{16}, uint64_t{63}, uint64_t{64},
                         uint64_t{1000}, (uint64_t{1} << 40) + 37}) {
    const uint64_t block = index / 64 * 16 + index % 16;
    const r123::Philox4x32::ctr_type counter = {
        {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 5, 3}};
    const r123::Philox4x32::key_type philox_key = {
        {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
    REQUIRE(random_word(position, index) ==
            r123::Philox4x32()(counter, philox_key)[index % 64 / 16]);
  }
}

TEST_CASE("64 units at once are those drawn one by one") {
  const RngPosition position{.seed = 9, .stream = 77, .step = 3};
  for (uint64_t first : {uint64_t{0}, uint64_t{64}, uint64_t{1} << 40}) {
    std::array<double, 64> units{};
    random_units_f64(position, first, units);
    for (uint64_t i = 0; i < 64; ++i) REQUIRE(units[i] == random_unit_f64(position, first + i));
  }
}

TEST_CASE("draws are uniform, and differ by seed, stream and step") {
  constexpr int kCount = 100000;
  for (const RngPosition& position :
       {RngPosition{0, 0, 0}, RngPosition{1, 0, 0}, RngPosition{0, 1, 0}, RngPosition{0, 0, 1}}) {
    double sum = 0, square = 0;
    for (int i = 0; i < kCount; ++i) {
      const double value = random_unit_f32(position, static_cast<uint64_t>(i));
      REQUIRE(value >= 0);
      REQUIRE(value < 1);
      sum += value;
      square += value * value;
    }
    REQUIRE(std::abs(sum / kCount - 0.5) < 0.005);
    REQUIRE(std::abs(square / kCount - 1.0 / 3) < 0.005);
  }
  std::set<uint32_t> words;
  for (uint64_t seed : {0, 1})
    for (uint64_t stream : {0, 1})
      for (uint64_t step : {0, 1}) words.insert(random_word({seed, stream, step}, 0));
  REQUIRE(words.size() == 8);
  REQUIRE(random_unit_f64({0, 0, 0}, 3) != random_unit_f32({0, 0, 0}, 3));
  REQUIRE(std::abs(random_unit_f64({0, 0, 0}, 3) - random_unit_f32({0, 0, 0}, 3)) < 1e-6);
}
