// PNG pictures, through libpng.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/core/tensor.h"

namespace gradc {

/// A picture whose header has been read. Palettes become colours and fewer than 8 bits become 8.
/// Throws Error: InputOutput, E0911 where the file cannot be read; ModelOrData, E0918 where it is
/// no PNG file, has 16 bits a channel, or promises more pixels than its bytes can hold.
class PngFile {
 public:
  explicit PngFile(const std::string& path);

  /// u8[height, width], or u8[height, width, channels]: 2 for grey with opacity, 3 for colours, 4
  /// for colours with opacity.
  Shape shape() const;
  /// Writes the pixels, shape().element_count() bytes. Throws Error (ModelOrData, E0918) where the
  /// data is damaged.
  void read(std::byte* pixels) const;

 private:
  std::string path_;
  std::string bytes_;
  int64_t width_ = 0;
  int64_t height_ = 0;
  int64_t channels_ = 1;
};

/// Writes u8[height, width] (grey) or u8[height, width, 3]; the file appears complete or not at
/// all. Throws Error (InputOutput, E0922) where it cannot be written.
void write_png(const std::string& path, const Tensor& pixels);

}  // namespace gradc
