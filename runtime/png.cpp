// libpng's simplified interface: no long jumps, no state of ours.
#include "runtime/png.h"

#include <png.h>

#include <array>
#include <cstring>

#include "runtime/atomic_file.h"
#include "runtime/core/checked_size.h"
#include "runtime/data/byte_stream.h"
#include "runtime/data/whole_file.h"

namespace gradc {
namespace {

/// Frees what libpng holds for an image.
struct Image {
  png_image image{};
  Image() { image.version = PNG_IMAGE_VERSION; }
  ~Image() { png_image_free(&image); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
};

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0918",
              fmt::format("`{}` is no PNG picture that can be read: {}", path, reason));
}

void begin(Image& image, const std::string& path, const std::string& bytes) {
  if (png_image_begin_read_from_memory(&image.image, bytes.data(), bytes.size()) == 0)
    refuse(path, image.image.message);
}

png_uint_32 format_of(int64_t channels) {
  switch (channels) {
    case 1:
      return PNG_FORMAT_GRAY;
    case 2:
      return PNG_FORMAT_GA;
    case 3:
      return PNG_FORMAT_RGB;
    default:
      return PNG_FORMAT_RGBA;
  }
}

}  // namespace

PngFile::PngFile(const std::string& path) : path_(path), bytes_(read_bytes(path)) {
  Image image;
  begin(image, path, bytes_);
  if ((image.image.format & PNG_FORMAT_FLAG_LINEAR) != 0) refuse(path, "it has 16 bits a channel");
  width_ = image.image.width;
  height_ = image.image.height;
  channels_ = ((image.image.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1) +
              ((image.image.format & PNG_FORMAT_FLAG_ALPHA) != 0 ? 1 : 0);
  // A pixel may take one bit of the file's data.
  const auto most = static_cast<int64_t>(bytes_.size()) * kDeflateExpansion * 8;
  if (!checked_element_count(std::array{height_, width_}, most))
    refuse(path, fmt::format("{} x {} pixels are more than its {} bytes can hold", width_, height_,
                             bytes_.size()));
}

Shape PngFile::shape() const {
  return channels_ == 1 ? Shape{height_, width_} : Shape{height_, width_, channels_};
}

void PngFile::read(std::byte* pixels) const {
  Image image;
  begin(image, path_, bytes_);
  image.image.format = format_of(channels_);
  if (png_image_finish_read(&image.image, nullptr, pixels, 0, nullptr) == 0)
    refuse(path_, image.image.message);
}

void write_png(const std::string& path, const Tensor& pixels) {
  CHECK(pixels.dtype() == DType::U8 && (pixels.shape().rank() == 2 || pixels.shape()[2] == 3),
        "a picture of {}", to_string(pixels.type()));
  Image image;
  image.image.height = static_cast<png_uint_32>(pixels.shape()[0]);
  image.image.width = static_cast<png_uint_32>(pixels.shape()[1]);
  image.image.format = pixels.shape().rank() == 2 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  const auto failed = [&] {
    throw Error(ExitCode::InputOutput, "E0922",
                fmt::format("cannot write `{}`: {}", path, image.image.message));
  };
  if (png_image_write_get_memory_size(image.image, size, 0, pixels.raw(), 0, nullptr) == 0)
    failed();
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image.image, bytes.data(), &size, 0, pixels.raw(), 0, nullptr) ==
      0)
    failed();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(bytes).first(size)));
  file.commit();
}

}  // namespace gradc
