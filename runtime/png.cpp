// The simplified interface of libpng, from and to memory.
#include "runtime/png.h"

#include <png.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "runtime/atomic_file.h"
#include "runtime/core/error.h"

namespace gradc {
namespace {

constexpr int64_t kMaxSide = 1 << 16;

/// Frees what libpng allocated on every way out.
struct PngImage : png_image {
  PngImage() : png_image() { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

png_uint_32 format_of(int channels) {
  CHECK(channels == 1 || channels == 3, "{} channels", channels);
  return channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
}

[[noreturn]] void no_png(const std::string& path, const char* why) {
  throw Error(ExitCode::ModelOrData, "E0912", fmt::format("{} is no PNG: {}", path, why));
}

std::vector<std::byte> bytes_of(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::vector<std::byte> bytes;
  std::byte block[1 << 14];
  while (const size_t count = file ? std::fread(block, 1, sizeof block, file.get()) : 0)
    bytes.insert(bytes.end(), block, block + count);
  if (!file || std::ferror(file.get()) != 0)
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return bytes;
}

}  // namespace

Image Image::filled(int64_t width, int64_t height, int channels, uint8_t value) {
  return {width, height, channels,
          std::vector<uint8_t>(static_cast<size_t>(width * height * channels), value)};
}

void write_png(const std::string& path, const Image& image) {
  CHECK(image.width > 0 && image.height > 0 && image.width <= kMaxSide && image.height <= kMaxSide,
        "an image of {} x {}", image.width, image.height);
  CHECK(image.pixels.size() == static_cast<size_t>(image.width * image.height * image.channels),
        "{} pixels", image.pixels.size());
  PngImage png;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = format_of(image.channels);
  png_alloc_size_t size = 0;
  std::vector<std::byte> bytes;
  const bool is_sized =
      png_image_write_to_memory(&png, nullptr, &size, 0, image.pixels.data(), 0, nullptr);
  bytes.resize(size);
  if (!is_sized ||
      !png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr))
    throw Error(ExitCode::InputOutput, "E0922",
                fmt::format("cannot write {}: {}", path, png.message));
  AtomicFile file(path);
  file.write(std::span(bytes).first(size));
  file.commit();
}

Image read_png(const std::string& path, int channels) {
  const std::vector<std::byte> bytes = bytes_of(path);
  PngImage png;
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()))
    no_png(path, png.message);
  if (png.width > kMaxSide || png.height > kMaxSide) no_png(path, "it is too large");
  png.format = format_of(channels);
  Image image = Image::filled(png.width, png.height, channels, 0);
  const png_color black = {0, 0, 0};
  if (!png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr))
    no_png(path, png.message);
  return image;
}

}  // namespace gradc
