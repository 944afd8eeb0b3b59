// Checks and small functions on axes.
#include "ir/ops/op_facts.h"

namespace gradc::ops {

void check_axes(std::string_view op, const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= rank)
      throw attr_error(fmt::format("{}: axis {} of a tensor of rank {}", op, axis, rank));
    if (seen[static_cast<size_t>(axis)])
      throw attr_error(fmt::format("{}: axis {} is listed twice", op, axis));
    seen[static_cast<size_t>(axis)] = true;
  }
}

std::vector<bool> axis_mask(const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<bool> mask(static_cast<size_t>(rank), false);
  for (int64_t axis : axes) mask[static_cast<size_t>(axis)] = true;
  return mask;
}

std::vector<int64_t> other_axes(const std::vector<bool>& mask) {
  std::vector<int64_t> axes;
  for (size_t axis = 0; axis < mask.size(); ++axis)
    if (!mask[axis]) axes.push_back(static_cast<int64_t>(axis));
  return axes;
}

std::vector<int64_t> pick(const Shape& shape, const std::vector<int64_t>& axes) {
  std::vector<int64_t> sizes;
  sizes.reserve(axes.size());
  for (int64_t axis : axes) sizes.push_back(shape[axis]);
  return sizes;
}

}  // namespace gradc::ops
