// Counts at each depth, and conversion that loses nothing but the digits of a float.
#include "runtime/nested_values.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/core/checked_size.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr const char* kRagged = "its lists differ in length or depth";

/// Rounded once, to the type that holds the dtype.
std::optional<double> parse_real(std::string_view text, DType dtype) {
  const char* const end = text.data() + text.size();
  if (dtype == DType::F64) {
    double value = 0;
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    return fault == std::errc() && stop == end ? std::optional(value) : std::nullopt;
  }
  float value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault == std::errc() && stop == end) return value;
  // What underflows is out of range for from_chars.
  double wide = 0;
  const bool is_small = std::from_chars(text.data(), end, wide).ec == std::errc() &&
                        std::abs(wide) < std::numeric_limits<float>::min();
  return is_small ? std::optional(static_cast<float>(wide)) : std::nullopt;
}

bool matches(const Shape& shape, const std::vector<std::optional<int64_t>>& sizes) {
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    if (static_cast<int64_t>(axis) == shape.rank() ||
        sizes[axis] != shape[static_cast<int64_t>(axis)])
      return false;
    // Lists cannot say what is behind an empty axis.
    if (*sizes[axis] == 0) return true;
  }
  return static_cast<int64_t>(sizes.size()) == shape.rank();
}

}  // namespace

void NestedValues::start(DType dtype) {
  if (elements_.is_empty() || dtype_ != dtype)
    elements_ = reserve_tensor({dtype, Shape{most_elements_}}, source_);
  dtype_ = dtype;
  size_ = 0;
  depth_ = 0;
  counts_.clear();
  sizes_.clear();
  has_elements_ = false;
}

std::string NestedValues::open_list() {
  if (depth_ == kMostAxes) return fmt::format("its lists are nested more than {} deep", kMostAxes);
  if (has_elements_ && depth_ == sizes_.size()) return kRagged;
  if (depth_ > 0) ++counts_.back();
  counts_.push_back(0);
  if (++depth_ > sizes_.size()) sizes_.emplace_back();
  return {};
}

std::string NestedValues::close_list() {
  std::optional<int64_t>& size = sizes_[--depth_];
  const int64_t count = counts_.back();
  counts_.pop_back();
  if (size && *size != count) return kRagged;
  size = count;
  return {};
}

std::string NestedValues::place_element() {
  if (depth_ != sizes_.size()) return kRagged;
  if (depth_ == 0 && size_ == 1) return kRagged;
  if (size_ == most_elements_) return "it has more values than the file can hold";
  if (depth_ > 0) ++counts_.back();
  has_elements_ = true;
  ++size_;
  return {};
}

std::string NestedValues::add_integer(int64_t value) {
  if (!fits(value, dtype_)) return fmt::format("{} is no {}", value, dtype_);
  if (std::string reason = place_element(); !reason.empty()) return reason;
  if (dtype_ == DType::I64)
    elements_.span<int64_t>()[static_cast<size_t>(size_ - 1)] = value;
  else
    elements_.set(size_ - 1, static_cast<double>(value));
  if (!std::isfinite(elements_.at(size_ - 1)))
    return fmt::format("{} is outside of {}", value, dtype_);
  return {};
}

std::string NestedValues::add_real(std::string_view text) {
  if (!is_float(dtype_)) return fmt::format("{} is no {}", text, dtype_);
  const std::optional<double> value = parse_real(text, dtype_);
  if (!value) return fmt::format("{} is outside of {}", text, dtype_);
  if (std::string reason = place_element(); !reason.empty()) return reason;
  elements_.set(size_ - 1, *value);
  if (!std::isfinite(elements_.at(size_ - 1)))
    return fmt::format("{} is outside of {}", text, dtype_);
  return {};
}

std::string NestedValues::add_bool(bool value) {
  if (dtype_ != DType::Bool) return fmt::format("true and false are no {}", dtype_);
  return add_integer(value ? 1 : 0);
}

std::string NestedValues::add_word(std::string_view word) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_known = word == "nan" || word == "inf" || word == "-inf";
  if (!is_float(dtype_) || !is_known) return "a string is no number";
  if (std::string reason = place_element(); !reason.empty()) return reason;
  elements_.set(size_ - 1, word == "nan"   ? std::numeric_limits<double>::quiet_NaN()
                           : word == "inf" ? kInfinity
                                           : -kInfinity);
  return {};
}

std::string NestedValues::finish(const std::optional<Shape>& shape, Tensor& result) {
  std::vector<int64_t> dims;
  for (const std::optional<int64_t>& size : sizes_) dims.push_back(size.value_or(0));
  if (shape && !matches(*shape, sizes_))
    return fmt::format("its shape is {}, its values have {}", to_string(*shape),
                       to_string(Shape(dims)));
  Tensor values(dtype_, shape ? *shape : Shape(std::move(dims)));
  CHECK(values.size() == size_);
  if (size_ > 0)
    std::memcpy(values.raw(), elements_.raw(), static_cast<size_t>(values.size_bytes()));
  result = std::move(values);
  return {};
}

}  // namespace gradc
