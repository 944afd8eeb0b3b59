// Bends the skeletons and draws them. Only exact operations (+ - * / of floats, no functions of the
// mathematics library), so that all machines draw the same.
#include "runtime/data/digits.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/core/rng.h"
#include "runtime/data/digit_skeletons.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;
constexpr int64_t kTrainRows = 60000;
constexpr int64_t kTestRows = 10000;
constexpr uint64_t kSeed = 0x6469676974733031U;  // "digits01"

struct Point {
  float x;
  float y;
};

/// Random numbers of one image: the draw number n is word n of the image's key.
class Draws {
 public:
  explicit Draws(int64_t image) : key_(rng_key(kSeed, static_cast<uint64_t>(image))) {}

  uint64_t word() { return rng_key(key_, count_++); }
  int below(int limit) {
    return static_cast<int>((word() >> 32) * static_cast<uint64_t>(limit) >> 32);
  }
  /// Uniform in [-1, 1).
  float even() { return static_cast<float>(word() >> 40) * 0x1p-23F - 1.0F; }
  /// Uniform in [low, high).
  float between(float low, float high) { return low + (high - low) * (even() * 0.5F + 0.5F); }
  /// Bell-shaped in (-1, 1), standard deviation 1/3: the mean of three even draws.
  float bell() { return (even() + even() + even()) * (1.0F / 3.0F); }

 private:
  uint64_t key_;
  uint64_t count_ = 0;
};

/// What one hand does to a whole digit: from skeleton units to pixels.
class Hand {
 public:
  explicit Hand(Draws& draws) {
    for (float& warp : warps_) warp = 13.0F * draws.bell();
    shear_ = 0.12F + 0.75F * draws.bell();
    const float size = 0.19F * draws.between(0.80F, 1.10F);
    const float aspect = draws.between(0.62F, 1.25F);
    // With t = tan(angle / 2): cos = (1 - t^2) / (1 + t^2), sin = 2 t / (1 + t^2).
    const float t = 0.30F * draws.bell();
    const float cosine = (1.0F - t * t) / (1.0F + t * t);
    const float sine = 2.0F * t / (1.0F + t * t);
    xx_ = size * aspect * cosine;
    xy_ = -size * sine;
    yx_ = size * aspect * sine;
    yy_ = size * cosine;
    const float middle = 0.5F * static_cast<float>(kSide - 1);
    x0_ = middle + 2.4F * draws.bell();
    y0_ = middle + 2.4F * draws.bell();
  }

  /// With u, v from -1 to 1 across the digit: (x, y) += warps . (v^2, uv, u^2), then slant, then
  /// turn.
  Point place(Point point) const {
    const float u = (point.x - 50.0F) * 0.033F;
    const float v = (point.y - 50.0F) * 0.02F;
    float x = point.x - 50.0F + warps_[0] * (v * v - 0.4F) + warps_[1] * u * v;
    float y = point.y - 50.0F + warps_[2] * (u * u - 0.4F) + warps_[3] * u * v;
    x += warps_[4] * v * (1.0F - v * v) * 2.0F;
    y += warps_[5] * (1.0F - v * v);
    x -= shear_ * y * 0.5F;
    return {x0_ + xx_ * x + xy_ * y, y0_ + yx_ * x + yy_ * y};
  }

 private:
  std::array<float, 6> warps_;
  float shear_;
  float xx_, xy_, yx_, yy_, x0_, y0_;
};

/// Ink from 0 to 1 for each pixel.
class Canvas {
 public:
  /// A round brush of the given radius, its edge one pixel wide, moved from `a` to `b`.
  void draw(Point a, Point b, float radius) {
    const float outer = radius + 0.55F;
    const float inner = std::max(radius - 0.45F, 0.0F);
    const float falloff = 1.0F / (outer * outer - inner * inner);
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float length2 = dx * dx + dy * dy;
    const float inverse = length2 > 0 ? 1.0F / length2 : 0.0F;
    const int left = clamp_pixel(std::min(a.x, b.x) - outer) / kLanes * kLanes;
    const int right = clamp_pixel(std::max(a.x, b.x) + outer + 1.0F);
    const int bottom = clamp_pixel(std::max(a.y, b.y) + outer + 1.0F);
    for (int y = clamp_pixel(std::min(a.y, b.y) - outer); y <= bottom; ++y) {
      const float py = static_cast<float>(y) - a.y;
      for (int x = left; x <= right; x += kLanes) {
        float* ink = &ink_[static_cast<size_t>(y * kSide + x)];
        const Lanes px = static_cast<float>(x) + kLaneNumbers - a.x;
        Lanes along = (px * dx + py * dy) * inverse;
        along = along < 0.0F ? Lanes{} : along;
        along = along > 1.0F ? Lanes{} + 1.0F : along;
        const Lanes ex = px - along * dx;
        const Lanes ey = py - along * dy;
        const Lanes value = (outer * outer - (ex * ex + ey * ey)) * falloff;
        Lanes before;
        std::memcpy(&before, ink, sizeof(before));
        const Lanes after = value > before ? value : before;
        std::memcpy(ink, &after, sizeof(after));
      }
    }
  }

  const std::array<float, kPixels>& ink() const { return ink_; }

 private:
  // Four neighbouring pixels at once.
  static constexpr int kLanes = 4;
  using Lanes = float __attribute__((vector_size(sizeof(float) * kLanes)));
  static constexpr Lanes kLaneNumbers = {0, 1, 2, 3};
  static_assert(kSide % kLanes == 0);

  static int clamp_pixel(float coordinate) {
    return static_cast<int>(std::clamp(coordinate, 0.0F, static_cast<float>(kSide - 1)));
  }

  std::array<float, kPixels> ink_{};
};

/// The Catmull-Rom curve through b (at t = 0) and c (at t = 1).
Point on_curve(Point a, Point b, Point c, Point d, float t) {
  const auto axis = [t](float p, float q, float r, float s) {
    return q + 0.5F * t *
                   ((r - p) +
                    t * ((2.0F * p - 5.0F * q + 4.0F * r - s) + t * (3.0F * (q - r) + s - p)));
  };
  return {axis(a.x, b.x, c.x, d.x), axis(a.y, b.y, c.y, d.y)};
}

/// The point as far before `a` as `b` is behind it.
Point mirrored(Point a, Point b) { return {2.0F * a.x - b.x, 2.0F * a.y - b.y}; }

class Pen {
 public:
  Pen(Canvas& canvas, Draws& draws) : canvas_(canvas), draws_(draws), hand_(draws) {
    radius_ = draws.between(0.65F, 1.55F);
    const float haste = draws.between(0.0F, 1.0F);
    unsteadiness_ = 3.0F + 15.0F * haste * haste;
  }

  void draw(const Stroke& stroke) {
    constexpr size_t kMostPoints = 16;
    std::array<Point, kMostPoints + 2> points;
    const size_t count = stroke.points.size();
    CHECK(count >= 2 && count <= kMostPoints);
    for (size_t i = 0; i < count; ++i) {
      const SkeletonPoint& point = stroke.points[i];
      points[i + 1] = hand_.place({static_cast<float>(point.x) + unsteadiness_ * draws_.bell(),
                                   static_cast<float>(point.y) + unsteadiness_ * draws_.bell()});
    }
    points[0] = mirrored(points[1], points[2]);
    points[count + 1] = mirrored(points[count], points[count - 1]);
    pressure_ = 1.0F + 0.25F * draws_.bell();
    for (size_t i = 1; i < count; ++i) draw_span(stroke.is_curve, &points[i - 1]);
  }

 private:
  /// From points[1] to points[2], in pieces of about two pixels where it is curved.
  void draw_span(bool is_curve, const Point* points) {
    const float pressure = 1.0F + 0.25F * draws_.bell();
    const float length = std::max(std::max(points[2].x - points[1].x, points[1].x - points[2].x),
                                  std::max(points[2].y - points[1].y, points[1].y - points[2].y));
    const int pieces = is_curve ? 1 + static_cast<int>(std::min(length, 28.0F) * 0.5F) : 2;
    Point from = points[1];
    for (int piece = 1; piece <= pieces; ++piece) {
      const float t = static_cast<float>(piece) / static_cast<float>(pieces);
      const Point to = is_curve ? on_curve(points[0], points[1], points[2], points[3], t)
                                : Point{points[1].x + t * (points[2].x - points[1].x),
                                        points[1].y + t * (points[2].y - points[1].y)};
      canvas_.draw(from, to, radius_ * (pressure_ + t * (pressure - pressure_)));
      from = to;
    }
    pressure_ = pressure;
  }

  Canvas& canvas_;
  Draws& draws_;
  Hand hand_;
  float radius_;
  float unsteadiness_;
  float pressure_ = 1.0F;
};

/// Rounds ink to bytes; its strength varies from image to image and a little from pixel to pixel.
void develop(const Canvas& canvas, Draws& draws, uint8_t* image) {
  const float strength = draws.between(190.0F, 262.0F);
  constexpr float kGrain = 0.22F;
  for (size_t pixel = 0; pixel < kPixels; pixel += 8) {
    const uint64_t word = draws.word();
    for (size_t i = 0; i < 8; ++i) {
      const float ink = std::min(canvas.ink()[pixel + i], 1.0F);
      const float grain = static_cast<float>(static_cast<int>(word >> (8 * i) & 0xFF) - 128);
      const float value = ink * (strength + kGrain * grain);
      image[pixel + i] = static_cast<uint8_t>(std::min(value + 0.5F, 255.0F));
    }
  }
}

/// The first draw.
int digit_of(Draws& draws) { return draws.below(10); }

void draw_digit(int64_t index, uint8_t* image) {
  Draws draws(index);
  const int digit = digit_of(draws);
  const auto styles = skeletons_of(digit);
  const Skeleton skeleton =
      styles[static_cast<size_t>(draws.below(static_cast<int>(styles.size())))];
  Canvas canvas;
  Pen pen(canvas, draws);
  for (const Stroke& stroke : skeleton) pen.draw(stroke);
  develop(canvas, draws, image);
}

/// Rows `first` to `first + rows` with labels, the images still to be drawn.
Dataset digits_to_draw(int64_t first, int64_t rows) {
  Tensor image = reserve_tensor({DType::U8, {rows, kSide, kSide}}, "digits");
  Tensor label(DType::U8, {rows});
  uint8_t* labels = label.span<uint8_t>().data();
  for (int64_t row = 0; row < rows; ++row) {
    Draws draws(first + row);
    labels[row] = static_cast<uint8_t>(digit_of(draws));
  }
  const auto draw = [first, image](int64_t row) mutable {
    draw_digit(first + row, image.span<uint8_t>().data() + row * kPixels);
  };
  Field images{"image", image};
  images.filler = std::make_shared<RowFiller>(rows, draw);
  return {"digits", {std::move(images), {"label", label}}};
}

}  // namespace

Dataset draw_digits(int64_t first, int64_t rows) {
  Dataset digits = digits_to_draw(first, rows);
  digits.fill();
  return digits;
}

DataDescription describe_digits() {
  return {"digits",
          {{"image", {DType::U8, {kSide, kSide}}}, {"label", {DType::U8, {}}}},
          kTrainRows,
          kTestRows};
}

DataSplit make_digits() {
  return {digits_to_draw(0, kTrainRows), digits_to_draw(kTrainRows, kTestRows)};
}

}  // namespace gradc
