// Division of affine maps by constants: what reshapes inside a group come down to.
#include "ir/affine_map.h"

#include <algorithm>
#include <numeric>

#include "runtime/core/error.h"

namespace gradc {

void add_scaled(AffineMap& a, const AffineMap& b, int64_t factor) {
  CHECK(a.strides.size() == b.strides.size());
  a.offset += factor * b.offset;
  for (size_t d = 0; d < a.strides.size(); ++d) a.strides[d] += factor * b.strides[d];
}

std::variant<DividedMap, SplitRequest, std::string> divide(const AffineMap& map, int64_t divisor,
                                                           const std::vector<int64_t>& extents) {
  const size_t count = map.strides.size();
  if (divisor == 1) return DividedMap{map, constant_map(count)};
  int64_t quotient_offset = map.offset / divisor;
  int64_t remainder_offset = map.offset % divisor;
  if (remainder_offset < 0) {
    remainder_offset += divisor;
    --quotient_offset;
  }
  DividedMap result{constant_map(count, quotient_offset), constant_map(count, remainder_offset)};
  int64_t low = remainder_offset;
  int64_t high = remainder_offset;
  for (size_t d = 0; d < count; ++d) {
    const int64_t stride = map.strides[d];
    if (stride % divisor == 0) {
      result.quotient.strides[d] = stride / divisor;
      continue;
    }
    result.remainder.strides[d] = stride;
    const int64_t reach = stride * (extents[d] - 1);
    (reach < 0 ? low : high) += reach;
    const int64_t step = std::abs(stride);
    if (std::abs(reach) >= divisor) {
      const int64_t inner = divisor / step;
      if (divisor % step == 0 && extents[d] % inner == 0) return SplitRequest{d, inner};
      return std::string("a reshape does not divide the loops evenly");
    }
  }
  if (low < 0 || high >= divisor) return std::string("a reshape crosses the rows of its operand");
  return result;
}

bool is_bijection(const AffineMap& map, const std::vector<int64_t>& extents,
                  const std::vector<bool>& dims) {
  std::vector<size_t> order;
  for (size_t d = 0; d < extents.size(); ++d) {
    if (dims[d] && extents[d] == 0) return true;
    if (extents[d] == 1) continue;
    if (!dims[d] && map.strides[d] != 0) return false;
    if (dims[d]) order.push_back(d);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return map.strides[a] < map.strides[b]; });
  int64_t expected = 1;
  for (size_t d : order) {
    if (map.strides[d] != expected) return false;
    expected *= extents[d];
  }
  return map.offset == 0;
}

}  // namespace gradc
