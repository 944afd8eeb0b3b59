// Pictures of graphs: titled boxes with arrows.
#pragma once
#include "tools/scene.h"

namespace gradc {

struct DiagramNode {
  std::string title;
  std::vector<std::string> lines;  // below the title
  Color color = 0xdce6f2;          // behind the title
  std::vector<size_t> operands;    // positions of earlier nodes
};

Scene draw_diagram(const std::vector<DiagramNode>& nodes);

/// The same for Graphviz.
std::string diagram_as_dot(const std::string& name, const std::vector<DiagramNode>& nodes);

}  // namespace gradc
