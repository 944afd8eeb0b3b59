// The rules of the computed data.
#include "runtime/data/puzzles.h"

namespace gradc {
namespace {

Dataset fizzbuzz_range(int first, int last) {
  const int64_t rows = last - first + 1;
  Tensor bits(DType::F32, {rows, 10});
  Tensor label(DType::U8, {rows});
  Tensor target(DType::F32, {rows, 4});
  for (int n = first; n <= last; ++n) {
    const auto row = static_cast<size_t>(n - first);
    for (size_t bit = 0; bit < 10; ++bit)
      bits.span<float>()[row * 10 + bit] = static_cast<float>(n >> bit & 1);
    const int category = (n % 3 == 0 ? 1 : 0) + (n % 5 == 0 ? 2 : 0);
    label.span<uint8_t>()[row] = static_cast<uint8_t>(category);
    target.span<float>()[row * 4 + static_cast<size_t>(category)] = 1.0F;
  }
  return {"fizzbuzz", {{"bits", bits}, {"label", label}, {"target", target}}};
}

}  // namespace

DataSplit make_xor() {
  constexpr float kPoints[] = {0, 0, 0, 1, 1, 0, 1, 1};
  constexpr float kTargets[] = {0, 1, 1, 0};
  return {{"xor",
           {{"point", Tensor::from<float>(DType::F32, {4, 2}, kPoints)},
            {"target", Tensor::from<float>(DType::F32, {4, 1}, kTargets)}}},
          std::nullopt};
}

DataSplit make_fizzbuzz() { return {fizzbuzz_range(101, 1023), fizzbuzz_range(1, 100)}; }

}  // namespace gradc
