// Affine functions of a point of an iteration domain, and indices made of them.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace gradc {

/// offset + sum over dims of strides[d] * point[d]. Every map of one nest has a stride for each
/// dim.
struct AffineMap {
  int64_t offset = 0;
  std::vector<int64_t> strides;
  friend bool operator==(const AffineMap&, const AffineMap&) = default;
};

inline AffineMap constant_map(size_t dim_count, int64_t offset = 0) {
  return {offset, std::vector<int64_t>(dim_count, 0)};
}
/// a += factor * b.
void add_scaled(AffineMap& a, const AffineMap& b, int64_t factor);

/// That dim `dim` must be two, the inner one of `inner` points, before a map can be divided.
struct SplitRequest {
  size_t dim;
  int64_t inner;
};
struct DividedMap {
  AffineMap quotient;
  AffineMap remainder;
};
/// map = quotient * divisor + remainder with 0 <= remainder < divisor at every point of a domain of
/// these extents. A SplitRequest if the dims are too coarse to say so, else the reason.
std::variant<DividedMap, SplitRequest, std::string> divide(const AffineMap& map, int64_t divisor,
                                                           const std::vector<int64_t>& extents);

/// Does the map take each value of [0, number of points of `dims`) exactly once, and depend on no
/// other dim? True where there are no points.
bool is_bijection(const AffineMap& map, const std::vector<int64_t>& extents,
                  const std::vector<bool>& dims);

}  // namespace gradc
