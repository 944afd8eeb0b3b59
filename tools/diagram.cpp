// Measures the boxes, has them placed, draws them.
#include "tools/diagram.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/error.h"
#include "tools/layered_layout.h"

namespace gradc {
namespace {

constexpr double kTitleSize = 13, kLineSize = 12;
constexpr double kTitleHeight = 24, kLineHeight = 17, kPadding = 12;
constexpr Color kBorder = 0x5b6b7f, kInk = 0x1f2a37, kFaint = 0x4a5768, kArrow = 0x7a8796;
constexpr size_t kMaxNodes = 2000;

double height_of(const DiagramNode& node) {
  const auto lines = static_cast<double>(node.lines.size());
  return kTitleHeight + (node.lines.empty() ? 0 : lines * kLineHeight + 7);
}

LayoutNode measured(const DiagramNode& node) {
  double width = text_width(node.title, kTitleSize);
  for (const std::string& line : node.lines) width = std::max(width, text_width(line, kLineSize));
  return {std::max(width + 2 * kPadding, 70.0), height_of(node), node.operands};
}

void draw_node(Scene& scene, const DiagramNode& node, Point corner, const LayoutNode& size) {
  scene.add(Box{.x = corner.x,
                .y = corner.y,
                .width = size.width,
                .height = size.height,
                .fill = node.lines.empty() ? node.color : 0xffffff,
                .border = kBorder,
                .border_width = 1.2,
                .radius = 5});
  if (!node.lines.empty()) {
    // The title's ground: its lower corners are covered, so that they are square.
    scene.add(Box{.x = corner.x,
                  .y = corner.y,
                  .width = size.width,
                  .height = kTitleHeight,
                  .fill = node.color,
                  .border = kBorder,
                  .border_width = 1.2,
                  .radius = 5});
    scene.add(Box{.x = corner.x + 0.6,
                  .y = corner.y + kTitleHeight - 7,
                  .width = size.width - 1.2,
                  .height = 7,
                  .fill = node.color,
                  .border = node.color,
                  .border_width = 0,
                  .radius = 0});
    scene.add(Line{.points = {{corner.x, corner.y + kTitleHeight},
                              {corner.x + size.width, corner.y + kTitleHeight}},
                   .color = kBorder,
                   .width = 1.2});
  }
  const double middle = corner.x + size.width / 2;
  scene.add(Text{.at = {middle, corner.y + kTitleHeight / 2 + 0.35 * kTitleSize},
                 .text = node.title,
                 .size = kTitleSize,
                 .color = kInk,
                 .anchor = TextAnchor::Middle,
                 .is_bold = true});
  double y = corner.y + kTitleHeight + 3;
  for (const std::string& line : node.lines) {
    scene.add(Text{.at = {corner.x + kPadding, y + kLineHeight / 2 + 0.35 * kLineSize},
                   .text = line,
                   .size = kLineSize,
                   .color = kFaint});
    y += kLineHeight;
  }
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

Scene draw_diagram(const std::vector<DiagramNode>& nodes) {
  if (nodes.size() > kMaxNodes)
    throw Error(
        ExitCode::ModelOrData, "E0801",
        fmt::format("a picture of {} boxes is no help; the most are {}", nodes.size(), kMaxNodes));
  std::vector<LayoutNode> boxes;
  for (const DiagramNode& node : nodes) boxes.push_back(measured(node));
  const Layout layout = layered_layout(boxes);
  Scene scene;
  scene.width = layout.width;
  scene.height = layout.height;
  for (const auto& edges : layout.edges)
    for (const std::vector<Point>& points : edges)
      scene.add(Line{.points = points, .color = kArrow, .width = 1.4, .has_arrow = true});
  for (size_t i = 0; i < nodes.size(); ++i) draw_node(scene, nodes[i], layout.corners[i], boxes[i]);
  return scene;
}

std::string diagram_as_dot(const std::string& name, const std::vector<DiagramNode>& nodes) {
  std::string text = fmt::format(
      "digraph {} {{\n  node [shape=box, style=\"filled,rounded\", fontname=\"monospace\"];\n",
      quoted(name));
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::string label = quoted(nodes[i].title);
    for (const std::string& line : nodes[i].lines) {
      label.insert(label.size() - 1, "\\n");
      const std::string inner = quoted(line);
      label.insert(label.size() - 1, inner.substr(1, inner.size() - 2));
    }
    text += fmt::format("  n{} [fillcolor=\"#{:06x}\", label={}];\n", i, nodes[i].color, label);
    for (const size_t operand : nodes[i].operands)
      text += fmt::format("  n{} -> n{};\n", operand, i);
  }
  return text + "}\n";
}

}  // namespace gradc
