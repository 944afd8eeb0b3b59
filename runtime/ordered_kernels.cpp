// Each row on its own: sums in f64 or in wrapping integers; a sort of positions by value, then by
// position, which makes it stable without memory.
#include "runtime/ordered_kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gradc {
namespace {

template <typename T>
void sum_row(const OrderedStep& step, const T* in, T* out) {
  // Unsigned: signed sums must wrap around.
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  Sum sum = 0;
  const auto add = [&](int64_t i) {
    Sum term{};
    if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>)
      term = static_cast<Sum>(in[i]);
    else
      term = static_cast<double>(static_cast<float>(in[i]));
    const Sum with = sum + term;
    const Sum kept = step.is_exclusive ? sum : with;
    if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>)
      out[i] = static_cast<T>(kept);
    else
      out[i] = T(static_cast<float>(kept));
    sum = with;
  };
  if (step.is_backward)
    for (int64_t i = step.columns; i-- > 0;) add(i);
  else
    for (int64_t i = 0; i < step.columns; ++i) add(i);
}

template <typename T>
auto comparable(T value) {
  if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>)
    return value;
  else
    return static_cast<float>(value);
}

template <typename T>
void sort_row(const OrderedStep& step, const T* in, int32_t* out) {
  int32_t* const end = out + step.columns;
  std::iota(out, end, 0);
  int32_t* numbers_end = end;
  if constexpr (!std::is_integral_v<T>) {
    // NaNs go behind the numbers; both parts are sorted by position again below.
    numbers_end =
        std::partition(out, end, [&](int32_t i) { return !std::isnan(comparable(in[i])); });
    std::sort(numbers_end, end);
  }
  const auto sort_by = [&](auto is_before) {
    std::sort(out, numbers_end, [&](int32_t a, int32_t b) {
      const auto x = comparable(in[a]);
      const auto y = comparable(in[b]);
      return is_before(x, y) || (x == y && a < b);
    });
  };
  if (step.is_backward)
    sort_by([](auto x, auto y) { return x > y; });
  else
    sort_by([](auto x, auto y) { return x < y; });
}

}  // namespace

void run_ordered(const OrderedStep& step, const void* from, void* to, int64_t begin, int64_t end) {
  visit_dtype(step.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t offset = row * step.columns;
      if (step.operation == OrderedStep::Operation::CumulativeSum)
        sum_row(step, static_cast<const T*>(from) + offset, static_cast<T*>(to) + offset);
      else
        sort_row(step, static_cast<const T*>(from) + offset, static_cast<int32_t*>(to) + offset);
    }
  });
}

double ordered_row_cost_ns(const OrderedStep& step) {
  const auto columns = static_cast<double>(step.columns);
  if (step.operation == OrderedStep::Operation::CumulativeSum) return 1.2 * columns;
  return 4 * columns * std::log2(columns + 2);
}

}  // namespace gradc
