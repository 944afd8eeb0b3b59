// Seeded random choices for tests: the same on every machine.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace gradc::testing {

class RandomSource {
 public:
  explicit RandomSource(uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15U + 1) {}

  /// In [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  template <typename T>
  const T& pick(const std::vector<T>& values) {
    return values[static_cast<size_t>(between(0, static_cast<int64_t>(values.size()) - 1))];
  }
  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1],
                values[static_cast<size_t>(between(0, static_cast<int64_t>(i) - 1))]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace gradc::testing
