// Follows the row dimension through operations, so that sizes taken from a tensor are known to
// depend on the number of rows. Where it is lost the answer is -1.
#include <algorithm>

#include "frontend/draft.h"
#include "ir/op.h"

namespace gradc {

namespace {

bool contains(const std::vector<int64_t>& axes, int64_t axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

int64_t place_of(const std::vector<int64_t>& axes, int64_t axis) {
  const auto found = std::ranges::find(axes, axis);
  return found == axes.end() ? -1 : found - axes.begin();
}

// The axis of `to` with the same size and the same number of elements before it.
int64_t reshaped_axis(const Shape& from, const Shape& to, int64_t axis) {
  int64_t before = 1;
  for (int64_t i = 0; i < axis; ++i) before *= from[i];
  int64_t passed = 1;
  for (int64_t i = 0; i < to.rank(); passed *= to[i], ++i)
    if (passed == before && to[i] == from[axis]) return i;
  return -1;
}

int64_t reduced_axis(const std::vector<int64_t>& axes, int64_t axis) {
  if (contains(axes, axis)) return -1;
  return axis - std::ranges::count_if(axes, [axis](int64_t other) { return other < axis; });
}

}  // namespace

int64_t DraftGraph::dot_row_axis(const std::vector<TensorId>& operands, const Attrs& attrs) const {
  const std::vector<int64_t>& batch = attrs.ints("lhs_batch");
  int64_t offset = static_cast<int64_t>(batch.size());
  for (const bool is_left : {true, false}) {
    const TensorId operand = operands[is_left ? 0 : 1];
    const std::vector<int64_t>& own_batch = attrs.ints(is_left ? "lhs_batch" : "rhs_batch");
    const std::vector<int64_t>& contract = attrs.ints(is_left ? "lhs_contract" : "rhs_contract");
    const int64_t rows = row_axis(operand);
    if (rows >= 0 && contains(own_batch, rows)) return place_of(own_batch, rows);
    for (int64_t axis = 0; axis < type(operand).shape.rank(); ++axis) {
      if (contains(own_batch, axis) || contains(contract, axis)) continue;
      if (axis == rows) return offset;
      ++offset;
    }
  }
  return -1;
}

int64_t DraftGraph::result_row_axis(OpKind kind, const std::vector<TensorId>& operands,
                                    const Attrs& attrs, const Type& result, size_t position) const {
  if (operands.empty()) return -1;
  if (kind == OpKind::Gradient) return row_axis(operands[position + 1]);
  const int64_t rows = row_axis(operands[0]);
  const Shape& shape = type(operands[0]).shape;
  if (op_class(kind) == OpClass::Elementwise) {
    for (const TensorId operand : operands)
      if (row_axis(operand) >= 0) return row_axis(operand);
    return -1;
  }
  if (kind == OpKind::Dot) return dot_row_axis(operands, attrs);
  if (kind == OpKind::Gather && row_axis(operands[1]) >= 0)
    return attrs.integer("axis") + row_axis(operands[1]);
  if (rows < 0) return -1;
  if (op_class(kind) == OpClass::Reduction) return reduced_axis(attrs.ints("axes"), rows);
  switch (kind) {
    case OpKind::Broadcast:
      return attrs.ints("axes")[static_cast<size_t>(rows)];
    case OpKind::Transpose:
      return place_of(attrs.ints("permutation"), rows);
    case OpKind::Reshape:
      return reshaped_axis(shape, result.shape, rows);
    case OpKind::Slice:
    case OpKind::Pad:
    case OpKind::Concat:
      return result.shape[rows] == shape[rows] ? rows : -1;
    case OpKind::Windows: {
      const std::vector<int64_t>& axes = attrs.ints("axes");
      if (contains(axes, rows)) return -1;
      return rows + std::ranges::count_if(axes, [rows](int64_t axis) { return axis < rows; });
    }
    case OpKind::Conv:
    case OpKind::ConvInput:
      return rows == 0 ? 0 : -1;
    case OpKind::CumulativeSum:
    case OpKind::ArgSort:
    case OpKind::Reverse:
    case OpKind::StopGradient:
    case OpKind::ScatterAdd:
      return rows;
    default:
      return -1;
  }
}

}  // namespace gradc
