// Axes of powers of ten, ceilings as lines, kernels as dots.
#include "tools/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradc {
namespace {

constexpr double kPlotWidth = 640, kPlotHeight = 400;
constexpr double kLeft = 76, kRight = 24, kTop = 44, kBottom = 56, kLegendLine = 18;
constexpr double kTextSize = 12;
constexpr size_t kNamed = 8;
constexpr double kLeastShare = 0.001, kNamedShare = 0.03;  // of the time of all kernels
constexpr Color kInk = 0x1f2a37, kGrid = 0xe3e8ee, kAxis = 0x5b6b7f, kCeiling = 0x1f2a37;

struct BackendColor {
  std::string_view backend;
  Color color;
};
constexpr BackendColor kBackends[] = {
    {"llvm", 0x1f6fb4}, {"onednn", 0xd9541e}, {"own", 0x2c9c57}, {"loop", 0x8a55b5}};
constexpr Color kOther = 0xb8860b;

Color color_of(std::string_view backend) {
  for (const BackendColor& entry : kBackends)
    if (entry.backend == backend) return entry.color;
  return kOther;
}

struct Dot {
  const KernelTime* kernel;
  double intensity, speed;  // FLOP per byte, GFLOP/s
  double share;             // of the time of all kernels
};

/// A logarithmic axis from one power of ten to another.
struct Axis {
  double low = 0, high = 1;  // exponents
  void include(double value) {
    low = std::min(low, std::floor(std::log10(value)));
    high = std::max(high, std::ceil(std::log10(value)));
  }
  double share(double value) const { return (std::log10(value) - low) / (high - low); }
};

class Roofline {
 public:
  explicit Roofline(const BenchResult& result) : result_(result) {
    double total = 0;
    for (const KernelTime& kernel : result.kernels) total += kernel.times.median();
    for (const KernelTime& kernel : result.kernels) {
      const double seconds = kernel.times.median();
      const Work& work = kernel.facts.work;
      if (work.flop <= 0 || work.bytes <= 0 || seconds < kLeastShare * total) continue;
      dots_.push_back(
          {&kernel, work.flop / work.bytes, work.flop / seconds / 1e9, seconds / total});
    }
    std::ranges::sort(dots_, std::greater(), &Dot::share);
    const double peak = result.ceilings.flop_per_s / 1e9;
    x_ = {-1, 2};
    y_ = {std::floor(std::log10(peak)) - 2, std::ceil(std::log10(peak))};
    for (const Dot& dot : dots_) {
      x_.include(dot.intensity);
      y_.include(dot.speed);
    }
  }

  Scene draw() {
    scene_.width = kLeft + kPlotWidth + kRight;
    scene_.height = kTop + kPlotHeight + kBottom + kLegendLine + 8;
    label({kLeft + kPlotWidth / 2, 24},
          fmt::format("{} ({}), {} threads: kernels below the ceilings", result_.model,
                      result_.mode, result_.ceilings.threads),
          TextAnchor::Middle, true);
    draw_grid();
    draw_ceilings();
    draw_dots();
    draw_legend();
    return std::move(scene_);
  }

 private:
  Point place(double intensity, double speed) const {
    return {kLeft + x_.share(intensity) * kPlotWidth, kTop + (1 - y_.share(speed)) * kPlotHeight};
  }

  void label(Point at, const std::string& text, TextAnchor anchor, bool is_bold = false) {
    scene_.add(Text{.at = at,
                    .text = text,
                    .size = is_bold ? 14 : kTextSize,
                    .color = kInk,
                    .anchor = anchor,
                    .is_bold = is_bold});
  }

  void draw_grid() {
    const double bottom = kTop + kPlotHeight, right = kLeft + kPlotWidth;
    for (double power = x_.low; power <= x_.high; ++power) {
      const double x = place(std::pow(10, power), 1).x;
      scene_.add(Line{.points = {{x, kTop}, {x, bottom}}, .color = kGrid});
      label({x, bottom + 18}, fmt::format("{:.6g}", std::pow(10, power)), TextAnchor::Middle);
    }
    for (double power = y_.low; power <= y_.high; ++power) {
      const double y = place(1, std::pow(10, power)).y;
      scene_.add(Line{.points = {{kLeft, y}, {right, y}}, .color = kGrid});
      label({kLeft - 8, y + 4}, fmt::format("{:.6g}", std::pow(10, power)), TextAnchor::Right);
    }
    scene_.add(Line{
        .points = {{kLeft, kTop}, {kLeft, bottom}, {right, bottom}}, .color = kAxis, .width = 1.4});
    label({kLeft + kPlotWidth / 2, bottom + 40}, "FLOP for each byte read or written",
          TextAnchor::Middle);
    label({8, kTop - 10}, "GFLOP/s", TextAnchor::Left);
  }

  /// A slope for each level of memory, up to the peak.
  void draw_ceilings() {
    const double peak = result_.ceilings.flop_per_s / 1e9;
    const double right = std::pow(10, x_.high);
    double leftmost = right;
    for (const Ceilings::Level& level : result_.ceilings.levels) {
      const double slope = level.bytes_per_s / 1e9;
      const double from = std::max(std::pow(10, x_.low), std::pow(10, y_.low) / slope);
      const double ridge = std::clamp(peak / slope, std::pow(10, x_.low), right);
      leftmost = std::min(leftmost, ridge);
      scene_.add(Line{.points = {place(from, from * slope), place(ridge, ridge * slope)},
                      .color = kCeiling,
                      .width = 1.2,
                      .is_dashed = level.name != "memory"});
    }
    scene_.add(Line{
        .points = {place(leftmost, peak), place(right, peak)}, .color = kCeiling, .width = 1.4});
    const Point end = place(right, peak);
    label({end.x - 4, end.y - 6}, fmt::format("peak {:.0f} GFLOP/s", peak), TextAnchor::Right);
  }

  void draw_dots() {
    for (const Dot& dot : dots_) {
      const Point at = place(dot.intensity, dot.speed);
      const double radius = 3 + 15 * std::sqrt(dot.share);
      scene_.add(Box{.x = at.x - radius,
                     .y = at.y - radius,
                     .width = 2 * radius,
                     .height = 2 * radius,
                     .fill = color_of(dot.kernel->facts.backend),
                     .border = 0xffffff,
                     .border_width = 1,
                     .radius = radius});
    }
    std::vector<Point> taken;
    for (size_t i = 0; i < std::min(kNamed, dots_.size()); ++i)
      if (dots_[i].share >= kNamedShare) name_dot(dots_[i], taken);
  }

  /// Beside the dot, lower where another name is in the way.
  void name_dot(const Dot& dot, std::vector<Point>& taken) {
    const Point centre = place(dot.intensity, dot.speed);
    const double radius = 3 + 15 * std::sqrt(dot.share);
    const std::string text = fmt::format("{} {:.0f}%", dot.kernel->facts.name, 100 * dot.share);
    const bool is_right = centre.x > kLeft + 0.75 * kPlotWidth;
    Point at{centre.x + (is_right ? -radius - 4 : radius + 4), centre.y + 4};
    const auto collides = [&](const Point& other) {
      return std::abs(other.y - at.y) < kTextSize && std::abs(other.x - at.x) < 160;
    };
    while (std::ranges::any_of(taken, collides)) at.y += kTextSize + 2;
    taken.push_back(at);
    label(at, text, is_right ? TextAnchor::Right : TextAnchor::Left);
  }

  void draw_legend() {
    double x = kLeft;
    const double y = kTop + kPlotHeight + kBottom + 8;
    for (const BackendColor& entry : kBackends) {
      scene_.add(Box{.x = x,
                     .y = y - 9,
                     .width = 10,
                     .height = 10,
                     .fill = entry.color,
                     .border = entry.color,
                     .radius = 5});
      label({x + 16, y}, std::string(entry.backend), TextAnchor::Left);
      x += 70;
    }
    std::string slopes = "slopes:";
    for (const Ceilings::Level& level : result_.ceilings.levels)
      slopes += fmt::format(" {} {:.0f}", level.name, level.bytes_per_s / 1e9);
    label({kLeft + kPlotWidth, y}, slopes + " GB/s", TextAnchor::Right);
  }

  const BenchResult& result_;
  std::vector<Dot> dots_;
  Axis x_, y_;
  Scene scene_;
};

}  // namespace

Scene draw_roofline(const BenchResult& result) { return Roofline(result).draw(); }

}  // namespace gradc
