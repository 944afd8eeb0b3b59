// PNG files: 8 bits a channel, grey or RGB.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc {

/// Pixels row by row from the top, the channels of a pixel side by side.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int channels = 1;  // 1: grey, 3: red, green, blue
  std::vector<uint8_t> pixels;

  static Image filled(int64_t width, int64_t height, int channels, uint8_t value);
};

/// The file appears complete or not at all. Throws Error (InputOutput, E0922).
void write_png(const std::string& path, const Image& image);

/// Any PNG, converted to `channels` (1 or 3); transparent parts lie on black. Throws Error
/// (InputOutput, E0911) for what cannot be read, (ModelOrData, E0912) for what is no PNG.
Image read_png(const std::string& path, int channels);

}  // namespace gradc
