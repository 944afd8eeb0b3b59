// Scenes as pixels. A shape covers a pixel as far as its signed distance says: 1 inside, 0 outside,
// linear across the edge. Characters are strokes through the points of their glyphs.
#include <algorithm>
#include <cmath>

#include "runtime/core/error.h"
#include "tools/glyphs.h"
#include "tools/scene.h"

namespace gradc {
namespace {

class Canvas {
 public:
  Canvas(const Scene& scene, double scale)
      : scale_(scale),
        width_(std::max<int64_t>(std::llround(scene.width * scale), 1)),
        height_(std::max<int64_t>(std::llround(scene.height * scale), 1)),
        pixels_(DType::U8, {height_, width_, 3}) {
    std::ranges::fill(pixels_.span<uint8_t>(), uint8_t{255});
  }

  Tensor take() && { return std::move(pixels_); }

  void draw(const Box& box) {
    const Point middle = {box.x + box.width / 2, box.y + box.height / 2};
    const double reach = box.border_width / 2 + 1 / scale_;
    // Distance to a rounded rectangle: of the folded point to the inner corner.
    const auto distance = [&](Point p) {
      const double qx = std::abs(p.x - middle.x) - box.width / 2 + box.radius;
      const double qy = std::abs(p.y - middle.y) - box.height / 2 + box.radius;
      return std::hypot(std::max(qx, 0.0), std::max(qy, 0.0)) + std::min(std::max(qx, qy), 0.0) -
             box.radius;
    };
    paint({box.x - reach, box.y - reach}, {box.x + box.width + reach, box.y + box.height + reach},
          box.fill, distance);
    if (box.border_width > 0)
      paint({box.x - reach, box.y - reach}, {box.x + box.width + reach, box.y + box.height + reach},
            box.border, [&](Point p) { return std::abs(distance(p)) - box.border_width / 2; });
  }

  void draw(const Line& line) {
    double walked = 0;
    for (size_t i = 0; i + 1 < line.points.size(); ++i) {
      const Point a = line.points[i], b = line.points[i + 1];
      if (line.is_dashed) {
        dash(a, b, line, walked);
        walked += std::hypot(b.x - a.x, b.y - a.y);
      } else {
        stroke(a, b, line.width, line.color);
      }
    }
    if (line.has_arrow) fill_triangle(arrow_head(line), line.color);
  }

  void draw(const Text& text) {
    const std::string characters = plain_characters(text.text);
    const double advance = 0.6 * text.size;
    double x = text.at.x;
    if (text.anchor != TextAnchor::Left)
      x -= advance * static_cast<double>(characters.size()) *
           (text.anchor == TextAnchor::Middle ? 0.5 : 1);
    for (const char character : characters) {
      draw_glyph(glyph(character), {x, text.at.y}, text);
      x += advance;
    }
  }

 private:
  /// Covers the pixels of a rectangle by a distance that is negative inside of the shape.
  template <typename Distance>
  void paint(Point low, Point high, Color color, const Distance& distance) {
    const auto first = [](double v) { return std::max<int64_t>(static_cast<int64_t>(v), 0); };
    const int64_t right = std::min<int64_t>(width_, std::llround(high.x * scale_ + 1));
    const int64_t bottom = std::min<int64_t>(height_, std::llround(high.y * scale_ + 1));
    for (int64_t y = first(low.y * scale_); y < bottom; ++y)
      for (int64_t x = first(low.x * scale_); x < right; ++x) {
        const Point at = {(static_cast<double>(x) + 0.5) / scale_,
                          (static_cast<double>(y) + 0.5) / scale_};
        const double cover = std::clamp(0.5 - distance(at) * scale_, 0.0, 1.0);
        if (cover > 0) blend(x, y, color, cover);
      }
  }

  void blend(int64_t x, int64_t y, Color color, double cover) {
    for (int64_t channel = 0; channel < 3; ++channel) {
      uint8_t& old = pixels_.span<uint8_t>()[static_cast<size_t>((y * width_ + x) * 3 + channel)];
      const double wanted = (color >> (16 - 8 * channel)) & 0xff;
      old = static_cast<uint8_t>(std::lround(old + cover * (wanted - old)));
    }
  }

  void stroke(Point a, Point b, double width, Color color) {
    const double reach = width / 2 + 1 / scale_;
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double length = dx * dx + dy * dy;
    paint({std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach},
          {std::max(a.x, b.x) + reach, std::max(a.y, b.y) + reach}, color, [&](Point p) {
            const double t =
                length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0)
                           : 0;
            return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy) - width / 2;
          });
  }

  /// Dashes of 5 with gaps of 4, counted from the start of the line.
  void dash(Point a, Point b, const Line& line, double walked) {
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const auto at = [&](double t) {
      return Point{a.x + (b.x - a.x) * t / length, a.y + (b.y - a.y) * t / length};
    };
    for (double t = 0; t < length;) {
      const double phase = std::fmod(walked + t, 9.0);
      const double end = std::min(length, t + (phase < 5 ? 5 - phase : 9 - phase) + 1e-6);
      if (phase < 5) stroke(at(t), at(end), line.width, line.color);
      t = end;
    }
  }

  void fill_triangle(const std::vector<Point>& corners, Color color) {
    Point low = corners[0], high = corners[0];
    for (const Point& corner : corners) {
      low = {std::min(low.x, corner.x), std::min(low.y, corner.y)};
      high = {std::max(high.x, corner.x), std::max(high.y, corner.y)};
    }
    // Inside of three half planes, whichever way round the corners run.
    const auto turn = [](Point a, Point b, Point p) {
      return ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)) /
             std::max(std::hypot(b.x - a.x, b.y - a.y), 1e-9);
    };
    const double side = turn(corners[0], corners[1], corners[2]) > 0 ? 1 : -1;
    paint(low, high, color, [&](Point p) {
      double distance = -1e9;
      for (size_t i = 0; i < 3; ++i)
        distance = std::max(distance, -side * turn(corners[i], corners[(i + 1) % 3], p));
      return distance;
    });
  }

  /// Neighbouring points are joined; diagonal ones where no third point joins them already.
  void draw_glyph(const Glyph& shape, Point origin, const Text& text) {
    const double unit = text.size / 10;
    const double width = text.size * (text.is_bold ? 0.135 : 0.095);
    const auto is_lit = [&](int column, int row) {
      return column >= 0 && column < 5 && row >= 0 && row < 8 &&
             ((shape[static_cast<size_t>(column)] >> row) & 1) != 0;
    };
    const auto place = [&](int column, int row) {
      return Point{origin.x + unit * (column + 0.5), origin.y + unit * (row - 6.5)};
    };
    for (int column = 0; column < 5; ++column)
      for (int row = 0; row < 8; ++row) {
        if (!is_lit(column, row)) continue;
        const Point at = place(column, row);
        bool is_alone = true;
        const auto join = [&](int to_column, int to_row) {
          is_alone = false;
          stroke(at, place(to_column, to_row), width, text.color);
        };
        if (is_lit(column + 1, row)) join(column + 1, row);
        if (is_lit(column, row + 1)) join(column, row + 1);
        for (const int down : {-1, 1})
          if (is_lit(column + 1, row + down) && !is_lit(column, row + down) &&
              !is_lit(column + 1, row))
            join(column + 1, row + down);
        if (is_alone) stroke(at, at, width, text.color);
      }
  }

  double scale_;
  int64_t width_;
  int64_t height_;
  Tensor pixels_;
};

}  // namespace

Tensor as_pixels(const Scene& scene, double scale) {
  Canvas canvas(scene, scale);
  for (const auto& shape : scene.shapes)
    std::visit([&](const auto& one) { canvas.draw(one); }, shape);
  return std::move(canvas).take();
}

}  // namespace gradc
