// Scenes as SVG; files of pictures.
#include <fmt/format.h>

#include <cmath>

#include "runtime/atomic_file.h"
#include "runtime/core/error.h"
#include "runtime/png.h"
#include "tools/scene.h"

namespace gradc {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else {
      result += c;
    }
  }
  return result;
}

std::string svg_of(const Box& box) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\" "
      "fill=\"#{:06x}\" stroke=\"#{:06x}\" stroke-width=\"{:.1f}\"/>\n",
      box.x, box.y, box.width, box.height, box.radius, box.fill, box.border, box.border_width);
}

std::string svg_of(const Line& line) {
  std::string points;
  for (const Point& point : line.points)
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", point.x, point.y);
  std::string text = fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"#{:06x}\" stroke-width=\"{:.1f}\" "
      "stroke-linejoin=\"round\"{}/>\n",
      points, line.color, line.width, line.is_dashed ? " stroke-dasharray=\"5 4\"" : "");
  if (line.has_arrow) {
    points.clear();
    for (const Point& point : arrow_head(line))
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", point.x, point.y);
    text += fmt::format("<polygon points=\"{}\" fill=\"#{:06x}\"/>\n", points, line.color);
  }
  return text;
}

std::string svg_of(const Text& text) {
  if (text.text.empty()) return "";
  constexpr const char* kAnchors[] = {"start", "middle", "end"};
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" fill=\"#{:06x}\" text-anchor=\"{}\" "
      "textLength=\"{:.1f}\" xml:space=\"preserve\"{}>{}</text>\n",
      text.at.x, text.at.y, text.size, text.color, kAnchors[static_cast<size_t>(text.anchor)],
      text_width(text.text, text.size), text.is_bold ? " font-weight=\"bold\"" : "",
      escaped(text.text));
}

}  // namespace

std::vector<Point> arrow_head(const Line& line) {
  CHECK(line.points.size() >= 2, "an arrow needs a direction");
  const Point tip = line.points.back();
  const Point from = line.points[line.points.size() - 2];
  const double length = std::max(std::hypot(tip.x - from.x, tip.y - from.y), 1e-9);
  const double ux = (tip.x - from.x) / length, uy = (tip.y - from.y) / length;
  const double along = 5 + 2.5 * line.width, across = along * 0.45;
  const Point base = {tip.x - ux * along, tip.y - uy * along};
  return {tip,
          {base.x - uy * across, base.y + ux * across},
          {base.x + uy * across, base.y - ux * across}};
}

std::string plain_characters(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) plain += c;
    if (byte >= 0xc0) plain += '?';  // the first byte of a character
  }
  return plain;
}

double text_width(const std::string& text, double size) {
  return 0.6 * size * static_cast<double>(plain_characters(text).size());
}

std::string as_svg(const Scene& scene) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, "
      "monospace\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      scene.width, scene.height);
  for (const auto& shape : scene.shapes)
    text += std::visit([](const auto& one) { return svg_of(one); }, shape);
  return text + "</svg>\n";
}

PictureFormat picture_format(const std::string& path, bool allows_dot) {
  if (path.ends_with(".svg")) return PictureFormat::Svg;
  if (path.ends_with(".png")) return PictureFormat::Png;
  if (allows_dot && path.ends_with(".dot")) return PictureFormat::Dot;
  throw Error(ExitCode::Usage, "",
              fmt::format("`{}` is no kind of picture: the name must end with .svg{} .png{}", path,
                          allows_dot ? "," : " or", allows_dot ? " or .dot" : ""));
}

void write_text_file(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

void write_picture(const std::string& path, const Scene& scene) {
  if (picture_format(path, false) == PictureFormat::Svg) {
    write_text_file(path, as_svg(scene));
  } else {
    // Twice the size of the SVG, within what image viewers take.
    const double scale = std::min(2.0, 16000 / std::max(scene.width, scene.height));
    write_png(path, as_pixels(scene, scale));
  }
}

}  // namespace gradc
