// The strokes of the built-in digits, before they are bent and drawn.
#pragma once
#include <cstdint>
#include <span>

namespace gradc {

/// In hundredths of the digit's height; y points down. The middle of a digit is (50, 50).
struct SkeletonPoint {
  int8_t x;
  int8_t y;
};

/// A line drawn without lifting the pen: straight from point to point, or a smooth curve through
/// all of them.
struct Stroke {
  bool is_curve;
  std::span<const SkeletonPoint> points;
};

/// One way to write a digit.
using Skeleton = std::span<const Stroke>;

/// The ways to write `digit` (0 to 9); all are equally likely. Static data.
std::span<const Skeleton> skeletons_of(int digit);

}  // namespace gradc
