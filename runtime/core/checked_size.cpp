// Divides before it multiplies.
#include "runtime/core/checked_size.h"

#include <algorithm>
#include <limits>

namespace gradc {

std::optional<int64_t> checked_element_count(std::span<const int64_t> dims, int64_t most) {
  int64_t count = 1;
  bool is_empty = false;
  for (const int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    is_empty = is_empty || dim == 0;
    const int64_t factor = std::max<int64_t>(dim, 1);
    if (factor > most / count) return std::nullopt;
    count *= factor;
  }
  return is_empty ? 0 : count;
}

bool fits(int64_t value, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return value == 0 || value == 1;
    case DType::U8:
      return value >= 0 && value <= std::numeric_limits<uint8_t>::max();
    case DType::I32:
      return value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max();
    default:
      return true;
  }
}

}  // namespace gradc
