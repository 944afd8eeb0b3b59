// A small font: the shapes of the printable ASCII characters on a grid of 5 x 8 points, the
// last row below the base line.
#pragma once
#include <array>
#include <cstdint>

namespace gradc {

/// Five columns from the left; bit 0 is the topmost point.
using Glyph = std::array<uint8_t, 5>;

/// The glyph of a character from ' ' to '~'; that of '?' for others.
const Glyph& glyph(char character);

}  // namespace gradc
