// The one place that multiplies sizes which a file or a user claims, and narrows integers.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/core/dtype.h"

namespace gradc {

/// Elements of any tensor at most: no machine holds more, and times the width of an element it is
/// far from an overflow.
inline constexpr int64_t kMostElements = int64_t{1} << 46;
/// Axes of a tensor in a file.
inline constexpr size_t kMostAxes = 32;

/// The product of `dims`. Nothing where a size is negative or the product passes `most`; a size of
/// 0 counts as 1 for that, so that no product of a part of the sizes (a stride) overflows either.
std::optional<int64_t> checked_element_count(std::span<const int64_t> dims,
                                             int64_t most = kMostElements);

/// Whether an integer dtype, or bool, holds `value`; true for floats.
bool fits(int64_t value, DType dtype);

}  // namespace gradc
