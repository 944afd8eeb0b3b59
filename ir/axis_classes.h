// Which axes of the values of a body run together.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Axes are in one class if elementwise ops, reductions and movement tie their indices together:
/// index i on one is index i on the other.
class AxisClasses {
 public:
  explicit AxisClasses(const Graph& body);
  /// A number for the class of this axis.
  uint32_t class_of(ValueId value, int64_t axis) const;

 private:
  uint32_t root(uint32_t slot) const;
  void tie(ValueId a, int64_t a_axis, ValueId b, int64_t b_axis);
  void tie_node(const Node& node);
  void tie_movement(const Node& node);
  void tie_reshape(const Node& node);
  void tie_dot(const Node& node);

  const Graph& body_;
  std::vector<uint32_t> first_slot_;  // by value
  std::vector<uint32_t> parent_;
};

}  // namespace gradc
