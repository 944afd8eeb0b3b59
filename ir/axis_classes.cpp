// A union-find over all axes of all values of a body.
#include "ir/axis_classes.h"

#include <algorithm>

#include "ir/op.h"

namespace gradc {

AxisClasses::AxisClasses(const Graph& body) : body_(body) {
  uint32_t slot = 0;
  for (uint32_t v = 0; v < body.value_count(); ++v) {
    first_slot_.push_back(slot);
    slot += static_cast<uint32_t>(body.type(static_cast<ValueId>(v)).shape.rank());
  }
  for (uint32_t s = 0; s < slot; ++s) parent_.push_back(s);
  for (const Node& node : body.nodes()) tie_node(node);
}

uint32_t AxisClasses::root(uint32_t slot) const {
  while (parent_[slot] != slot) slot = parent_[slot];
  return slot;
}

uint32_t AxisClasses::class_of(ValueId value, int64_t axis) const {
  return root(first_slot_[index(value)] + static_cast<uint32_t>(axis));
}

void AxisClasses::tie(ValueId a, int64_t a_axis, ValueId b, int64_t b_axis) {
  if (body_.type(a).shape[a_axis] != body_.type(b).shape[b_axis]) return;
  const uint32_t x = class_of(a, a_axis);
  const uint32_t y = class_of(b, b_axis);
  parent_[std::max(x, y)] = std::min(x, y);
}

void AxisClasses::tie_node(const Node& node) {
  const ValueId result = node.results[0];
  switch (op_class(node.kind)) {
    case OpClass::Elementwise:
    case OpClass::Meta:
      for (ValueId operand : node.operands)
        for (int64_t axis = 0; axis < body_.type(result).shape.rank(); ++axis)
          tie(operand, axis, result, axis);
      return;
    case OpClass::Movement:
      return tie_movement(node);
    case OpClass::Reduction: {
      const std::vector<int64_t>& axes = node.attrs.ints("axes");
      int64_t kept = 0;
      for (int64_t axis = 0; axis < body_.type(node.operands[0]).shape.rank(); ++axis)
        if (std::find(axes.begin(), axes.end(), axis) == axes.end())
          tie(node.operands[0], axis, result, kept++);
      return;
    }
    case OpClass::Contraction:
      return tie_dot(node);
    case OpClass::Window:
      return;
    case OpClass::Index: {
      if (node.kind != OpKind::Gather) return;
      const int64_t first = node.attrs.integer("axis");
      for (int64_t axis = 0; axis < body_.type(node.operands[1]).shape.rank(); ++axis)
        tie(node.operands[1], axis, result, first + axis);
      return;
    }
    case OpClass::Ordered:
    case OpClass::Leaf:
    case OpClass::Random:
    case OpClass::Region:
      return;
  }
}

void AxisClasses::tie_movement(const Node& node) {
  const ValueId operand = node.operands[0];
  const ValueId result = node.results[0];
  const int64_t rank = body_.type(operand).shape.rank();
  if (node.kind == OpKind::Transpose) {
    for (int64_t axis = 0; axis < rank; ++axis)
      tie(operand, node.attrs.ints("permutation")[static_cast<size_t>(axis)], result, axis);
  } else if (node.kind == OpKind::Broadcast) {
    for (int64_t axis = 0; axis < rank; ++axis)
      tie(operand, axis, result, node.attrs.ints("axes")[static_cast<size_t>(axis)]);
  } else if (node.kind == OpKind::Reshape) {
    tie_reshape(node);
  } else if (node.kind == OpKind::Reverse) {
    const std::vector<int64_t>& axes = node.attrs.ints("axes");
    for (int64_t axis = 0; axis < rank; ++axis)
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) tie(operand, axis, result, axis);
  } else if (node.kind == OpKind::Windows) {
    int64_t next = 0;
    const std::vector<int64_t>& axes = node.attrs.ints("axes");
    for (int64_t axis = 0; axis < rank; ++axis) {
      const bool is_window = std::binary_search(axes.begin(), axes.end(), axis);
      if (!is_window) tie(operand, axis, result, next);
      next += is_window ? 2 : 1;
    }
  } else if (node.kind == OpKind::Slice) {
    for (int64_t axis = 0; axis < rank; ++axis) tie(operand, axis, result, axis);
  }
}

/// Ties axes that have the same size and the same number of elements inside them.
void AxisClasses::tie_reshape(const Node& node) {
  const ValueId operand = node.operands[0];
  const ValueId result = node.results[0];
  const Shape& in = body_.type(operand).shape;
  const Shape& out = body_.type(result).shape;
  const std::vector<int64_t> in_strides = in.strides();
  const std::vector<int64_t> out_strides = out.strides();
  for (int64_t i = 0; i < in.rank(); ++i)
    for (int64_t o = 0; o < out.rank(); ++o)
      if (in[i] == out[o] && in[i] > 1 &&
          in_strides[static_cast<size_t>(i)] == out_strides[static_cast<size_t>(o)])
        tie(operand, i, result, o);
}

void AxisClasses::tie_dot(const Node& node) {
  const ValueId result = node.results[0];
  int64_t next = 0;
  const std::vector<int64_t>& lhs_batch = node.attrs.ints("lhs_batch");
  const std::vector<int64_t>& rhs_batch = node.attrs.ints("rhs_batch");
  for (size_t n = 0; n < lhs_batch.size(); ++n) {
    tie(node.operands[0], lhs_batch[n], result, next);
    tie(node.operands[1], rhs_batch[n], result, next++);
  }
  for (size_t side = 0; side < 2; ++side) {
    const std::vector<int64_t>& batch = side == 0 ? lhs_batch : rhs_batch;
    const std::vector<int64_t>& contract =
        node.attrs.ints(side == 0 ? "lhs_contract" : "rhs_contract");
    for (int64_t axis = 0; axis < body_.type(node.operands[side]).shape.rank(); ++axis) {
      const bool is_free = std::find(batch.begin(), batch.end(), axis) == batch.end() &&
                           std::find(contract.begin(), contract.end(), axis) == contract.end();
      if (is_free) tie(node.operands[side], axis, result, next++);
    }
  }
  for (size_t n = 0; n < node.attrs.ints("lhs_contract").size(); ++n)
    tie(node.operands[0], node.attrs.ints("lhs_contract")[n], node.operands[1],
        node.attrs.ints("rhs_contract")[n]);
}

}  // namespace gradc
