// Two passes: the mean, then the deviation from it.
#include "tools/field_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gradc {
namespace {

constexpr size_t kMostDistinct = 256;

template <typename Action>
void for_each_element(const Tensor& values, Action action) {
  visit_dtype(values.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (const T value : values.span<T>()) {
      if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>)
        action(static_cast<double>(value));
      else
        action(static_cast<double>(static_cast<float>(value)));
    }
  });
}

/// How often each integer occurs; more than kMostDistinct entries where there are too many.
std::map<int64_t, int64_t> count_values(const Tensor& values) {
  std::map<int64_t, int64_t> counts;
  if (size_bytes(values.dtype()) > 1) {
    for_each_element(values, [&](double value) {
      if (counts.size() <= kMostDistinct) ++counts[static_cast<int64_t>(value)];
    });
    return counts;
  }
  std::array<int64_t, 256> tally{};
  for (const uint8_t value : values.span<uint8_t>()) ++tally[value];
  for (size_t value = 0; value < tally.size(); ++value)
    if (tally[value] > 0) counts[static_cast<int64_t>(value)] = tally[value];
  return counts;
}

}  // namespace

FieldStatistics statistics(const Field& field) {
  FieldStatistics result;
  if (field.values.size() == 0) return result;
  const auto count = static_cast<double>(field.values.size());
  result.least = result.most = field.values.at(0);
  double sum = 0;
  for_each_element(field.values, [&](double value) {
    sum += value;
    result.least = std::min(result.least, value);
    result.most = std::max(result.most, value);
  });
  result.mean = sum / count;
  double squares = 0;
  for_each_element(field.values,
                   [&](double value) { squares += (value - result.mean) * (value - result.mean); });
  result.deviation = std::sqrt(squares / count);
  if (is_float(field.values.dtype())) return result;
  std::map<int64_t, int64_t> counts = count_values(field.values);
  if (counts.size() > kMostDistinct) return result;
  result.distinct = static_cast<int64_t>(counts.size());
  if (!field.windows && field.values.shape().rank() == 1) result.counts = std::move(counts);
  return result;
}

double centred_mean(const Field& field, double centre) {
  double sum = 0;
  for_each_element(field.values, [&](double value) { sum += value - centre; });
  return field.values.size() == 0 ? 0 : sum / static_cast<double>(field.values.size());
}

std::string histogram(const Field& field, const std::map<int64_t, int64_t>& counts) {
  std::string text;
  for (const auto& [value, count] : counts)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", field.category(value), count);
  return "{" + text + "}";
}

}  // namespace gradc
