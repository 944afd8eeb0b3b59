// Places the boxes of a directed graph in layers, from the top to the bottom.
#pragma once
#include <vector>

#include "tools/scene.h"

namespace gradc {

struct LayoutNode {
  double width = 0, height = 0;
  std::vector<size_t> operands;  // positions of earlier nodes
};

struct Layout {
  double width = 0, height = 0;
  std::vector<Point> corners;  // the left upper corner of each node
  /// Of each node and operand, from the operand's lower side to the node's upper side.
  std::vector<std::vector<std::vector<Point>>> edges;
};

/// An edge that spans several layers has a place in each. In a layer nodes are ordered by the mean
/// place of their neighbours and stand as near to it as the others allow.
Layout layered_layout(const std::vector<LayoutNode>& nodes);

}  // namespace gradc
