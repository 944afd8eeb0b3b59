// Charts: axes with ticks, a grid, lines and a legend.
#include "tools/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradc {
namespace {

constexpr double kPlotWidth = 520, kPlotHeight = 270;
constexpr double kLeft = 76, kRight = 24, kTop = 40, kBottom = 52, kLegendLine = 18;
constexpr double kTextSize = 12;
constexpr Color kInk = 0x1f2a37, kGrid = 0xe3e8ee, kAxis = 0x5b6b7f;
constexpr Color kColors[] = {0x1f6fb4, 0xd9541e, 0x2c9c57, 0x8a55b5, 0xb8860b, 0xc2366f};

struct Range {
  double low = 1e300, high = -1e300;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double span() const { return high - low; }
};

/// "test_loss" and "loss of batches" look like "loss".
std::string base_name(const std::string& name) {
  std::string base = name;
  for (const std::string prefix : {"test_", "val_"})
    if (base.starts_with(prefix)) base = base.substr(prefix.size());
  const size_t suffix = base.find(" of batches");
  return suffix == std::string::npos ? base : base.substr(0, suffix);
}

bool is_loss(const Series& series) { return series.name.find("loss") != std::string::npos; }

/// A colour mixed with white.
Color faded(Color color) {
  Color mixed = 0;
  for (int shift = 0; shift < 24; shift += 8)
    mixed |= ((((color >> shift) & 0xff) + 2 * 255) / 3) << shift;
  return mixed;
}

class Chart {
 public:
  Chart(Scene& scene, std::vector<const Series*> series, double top, Range epochs)
      : scene_(scene), series_(std::move(series)), top_(top), x_(epochs) {
    for (const Series* one : series_)
      for (const Point& point : one->points) y_.include(point.y);
    if (y_.span() <= 0) y_ = {y_.low - 0.5, y_.high + 0.5};
    const std::vector<double> ticks = nice_ticks(y_.low, y_.high, 6);
    y_ = {ticks.front(), ticks.back()};
    for (const Series* one : series_)
      if (std::ranges::find(bases_, base_name(one->name)) == bases_.end())
        bases_.push_back(base_name(one->name));
  }

  void draw(const std::string& title) {
    scene_.add(Text{.at = {kLeft + kPlotWidth / 2, top_ + 24},
                    .text = title,
                    .size = 14,
                    .color = kInk,
                    .anchor = TextAnchor::Middle,
                    .is_bold = true});
    draw_axes();
    for (const Series* one : series_)
      if (one->is_of_batches) draw_series(*one);
    for (const Series* one : series_)
      if (!one->is_of_batches) draw_series(*one);
    draw_legend();
  }

  double height() const {
    return kTop + kPlotHeight + kBottom +
           kLegendLine * static_cast<double>((series_.size() + 1) / 2);
  }

 private:
  Point place(Point value) const {
    return {kLeft + (value.x - x_.low) / x_.span() * kPlotWidth,
            top_ + kTop + (y_.high - value.y) / y_.span() * kPlotHeight};
  }
  Color color(const Series& series) const {
    const auto base = std::ranges::find(bases_, base_name(series.name)) - bases_.begin();
    const Color full = kColors[static_cast<size_t>(base) % std::size(kColors)];
    return series.is_of_batches ? faded(full) : full;
  }
  static bool is_dashed(const Series& series) {
    return series.name.starts_with("test_") || series.name.starts_with("val_");
  }

  void draw_axes() {
    for (const double tick : nice_ticks(y_.low, y_.high, 6)) {
      const Point left = place({x_.low, tick});
      scene_.add(Line{.points = {left, {left.x + kPlotWidth, left.y}}, .color = kGrid, .width = 1});
      scene_.add(Text{.at = {left.x - 8, left.y + 0.35 * kTextSize},
                      .text = fmt::format("{:.6g}", tick),
                      .size = kTextSize,
                      .color = kInk,
                      .anchor = TextAnchor::Right});
    }
    for (const double tick : nice_ticks(x_.low, x_.high, 8)) {
      if (tick < x_.low - 1e-9 || tick > x_.high + 1e-9) continue;
      const Point low = place({tick, y_.low});
      scene_.add(Line{.points = {low, {low.x, low.y + 5}}, .color = kAxis, .width = 1});
      scene_.add(Text{.at = {low.x, low.y + 20},
                      .text = fmt::format("{:.6g}", tick),
                      .size = kTextSize,
                      .color = kInk,
                      .anchor = TextAnchor::Middle});
    }
    const Point corner = place({x_.low, y_.low});
    scene_.add(Line{.points = {{corner.x, top_ + kTop}, corner, {corner.x + kPlotWidth, corner.y}},
                    .color = kAxis,
                    .width = 1.4});
    scene_.add(Text{.at = {kLeft + kPlotWidth / 2, corner.y + 40},
                    .text = "epoch",
                    .size = kTextSize,
                    .color = kInk,
                    .anchor = TextAnchor::Middle});
  }

  void draw_series(const Series& series) {
    std::vector<Point> points;
    for (const Point& point : series.points) points.push_back(place(point));
    if (points.size() > 1)
      scene_.add(Line{.points = points,
                      .color = color(series),
                      .width = series.is_of_batches ? 1.0 : 2.0,
                      .is_dashed = is_dashed(series)});
    // Few points are marked each; a single one would be no line.
    if (!series.is_of_batches && points.size() <= 30)
      for (const Point& point : points)
        scene_.add(Box{.x = point.x - 3,
                       .y = point.y - 3,
                       .width = 6,
                       .height = 6,
                       .fill = is_dashed(series) ? 0xffffff : color(series),
                       .border = color(series),
                       .border_width = 1.5,
                       .radius = 3});
  }

  /// Two columns below the axis.
  void draw_legend() {
    for (size_t i = 0; i < series_.size(); ++i) {
      const double x = kLeft + static_cast<double>(i % 2) * kPlotWidth / 2;
      const double y =
          top_ + kTop + kPlotHeight + kBottom + 8 + kLegendLine * static_cast<double>(i / 2);
      scene_.add(Line{.points = {{x, y - 4}, {x + 26, y - 4}},
                      .color = color(*series_[i]),
                      .width = 2.4,
                      .is_dashed = is_dashed(*series_[i])});
      scene_.add(
          Text{.at = {x + 34, y}, .text = series_[i]->name, .size = kTextSize, .color = kInk});
    }
  }

  Scene& scene_;
  std::vector<const Series*> series_;
  std::vector<std::string> bases_;
  double top_;
  Range x_, y_;
};

}  // namespace

std::vector<double> nice_ticks(double low, double high, int count) {
  const double rough = std::max(high - low, 1e-300) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) step = factor * power;
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

Scene draw_curves(const std::vector<Series>& series) {
  Range epochs;
  for (const Series& one : series)
    for (const Point& point : one.points) epochs.include(point.x);
  // The curves of epochs begin at 1, those of batches at 0.
  const bool has_batches = std::ranges::any_of(series, &Series::is_of_batches);
  if (has_batches) epochs.include(0);
  if (epochs.span() <= 0) epochs = {epochs.low - 0.5, epochs.high + 0.5};
  Scene scene;
  scene.width = kLeft + kPlotWidth + kRight;
  for (const bool wants_losses : {true, false}) {
    std::vector<const Series*> chosen;
    for (const Series& one : series)
      if (is_loss(one) == wants_losses) chosen.push_back(&one);
    if (chosen.empty()) continue;
    Chart chart(scene, chosen, scene.height, epochs);
    chart.draw(wants_losses ? "Loss" : "Metrics");
    scene.height += chart.height();
  }
  scene.height += 8;
  return scene;
}

}  // namespace gradc
