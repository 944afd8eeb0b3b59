// A picture as a list of boxes, lines and texts; drawn by two back ends.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

struct Point {
  double x = 0, y = 0;
};

/// 0xRRGGBB.
using Color = uint32_t;

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  Color fill = 0xffffff;
  Color border = 0x000000;
  double border_width = 1;
  double radius = 0;
};

struct Line {
  std::vector<Point> points;
  Color color = 0x000000;
  double width = 1;
  bool has_arrow = false;  // at the last point
  bool is_dashed = false;
};

enum class TextAnchor : uint8_t { Left, Middle, Right };

/// One line in a font whose characters are all 0.6 of the size wide.
struct Text {
  Point at;  // left, middle or right end of the base line
  std::string text;
  double size = 12;
  Color color = 0x000000;
  TextAnchor anchor = TextAnchor::Left;
  bool is_bold = false;
};

/// Later shapes cover earlier ones.
struct Scene {
  double width = 0, height = 0;
  std::vector<std::variant<Box, Line, Text>> shapes;

  void add(Box box) { shapes.emplace_back(std::move(box)); }
  void add(Line line) { shapes.emplace_back(std::move(line)); }
  void add(Text text) { shapes.emplace_back(std::move(text)); }
};

/// The three corners of a line's arrow head, the tip first.
std::vector<Point> arrow_head(const Line& line);
/// The characters of a text, one byte each; '?' for what is not ASCII.
std::string plain_characters(const std::string& text);
double text_width(const std::string& text, double size);

std::string as_svg(const Scene& scene);
/// u8[height, width, 3], `scale` pixels for a unit.
Tensor as_pixels(const Scene& scene, double scale);

/// Where a picture can go, from the ending of a path; nothing for another ending.
enum class PictureFormat : uint8_t { Svg, Png, Dot };
/// Throws Error (Usage) unless the path ends with .svg, .png or, where that is allowed, .dot.
PictureFormat picture_format(const std::string& path, bool allows_dot);

/// As SVG or PNG. Throws Error (InputOutput, E0922).
void write_picture(const std::string& path, const Scene& scene);
void write_text_file(const std::string& path, const std::string& text);

}  // namespace gradc
