// What the structs of ir/ops share: the facts each states, and the checks of their shape rules.
#pragma once
#include <array>

#include "ir/builder.h"

namespace gradc::ops {

/// `doc` starts with the formula; max_operands -1 means any number.
struct OpFacts {
  int min_operands = 1;
  int max_operands = 1;
  std::string_view doc;
  double max_ulp = 0.5;
};

inline constexpr std::array<AttrSpec, 0> kNoAttrs{};

/// The errors of shape rules (ModelOrData): a dtype an op does not take, a shape that does not fit,
/// an attribute out of range.
inline Error dtype_error(const std::string& message) {
  return {ExitCode::ModelOrData, "E0501", message};
}
inline Error shape_error(const std::string& message) {
  return {ExitCode::ModelOrData, "E0403", message};
}
inline Error attr_error(const std::string& message) {
  return {ExitCode::ModelOrData, "E0404", message};
}

/// Throws attr_error unless all axes are distinct and in [0, rank).
void check_axes(std::string_view op, const std::vector<int64_t>& axes, int64_t rank);
/// True for each axis listed.
std::vector<bool> axis_mask(const std::vector<int64_t>& axes, int64_t rank);
/// The axes not in `mask`, ascending.
std::vector<int64_t> other_axes(const std::vector<bool>& mask);
/// The sizes of `axes`, in their order.
std::vector<int64_t> pick(const Shape& shape, const std::vector<int64_t>& axes);

}  // namespace gradc::ops
