// Local headers, contents and the directory behind them (PKWARE's APPNOTE, 4.3).
#include "runtime/data/zip_writer.h"

#include <zlib.h>

#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr int64_t kMostBytes = 0xFFFFFFFE;
constexpr int64_t kMostMembers = 0xFFFE;
constexpr size_t kMostNameBytes = 0xFFFF;

std::string little_endian(int64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

uint32_t checksum_with(uint32_t checksum, std::span<const std::byte> bytes) {
  constexpr size_t kBlock = size_t{1} << 30;
  while (!bytes.empty()) {
    const auto block = bytes.first(std::min(bytes.size(), kBlock));
    checksum = static_cast<uint32_t>(crc32(checksum, reinterpret_cast<const Bytef*>(block.data()),
                                           static_cast<uInt>(block.size())));
    bytes = bytes.subspan(block.size());
  }
  return checksum;
}

}  // namespace

void ZipWriter::write(std::span<const std::byte> bytes) {
  file_.write(bytes);
  bytes_ += static_cast<int64_t>(bytes.size());
}

void ZipWriter::add(std::string_view name, std::span<const std::byte> head,
                    std::span<const std::byte> body) {
  const auto size = static_cast<int64_t>(head.size() + body.size());
  // The directory has to fit behind it, too.
  const auto overhead = static_cast<int64_t>(directory_.size() + 2 * name.size()) + 256;
  if (name.size() > kMostNameBytes || members_ == kMostMembers ||
      size > kMostBytes - bytes_ - overhead)
    throw Error(ExitCode::InputOutput, "E0922",
                fmt::format("cannot write `{}`: with `{}` it is larger than a zip archive can be; "
                            "safetensors has no such limit",
                            path_, printable(name)));
  constexpr int64_t kVersion = 20;
  constexpr int64_t kNameIsUtf8 = 1 << 11;
  constexpr int64_t kFirstOfJanuary1980 = 0x21;
  const std::string shared = little_endian(kNameIsUtf8, 2) + little_endian(0, 2) +
                             little_endian(0, 2) + little_endian(kFirstOfJanuary1980, 2) +
                             little_endian(checksum_with(checksum_with(0, head), body), 4) +
                             little_endian(size, 4) + little_endian(size, 4) +
                             little_endian(static_cast<int64_t>(name.size()), 2);
  directory_ += "PK\1\2" + little_endian(kVersion, 2) + little_endian(kVersion, 2) + shared +
                little_endian(0, 12) + little_endian(bytes_, 4);
  directory_ += name;
  std::string local = "PK\3\4" + little_endian(kVersion, 2) + shared + little_endian(0, 2);
  local += name;
  write(std::as_bytes(std::span(local)));
  write(head);
  write(body);
  ++members_;
}

void ZipWriter::finish() {
  const int64_t begin = bytes_;
  const std::string end = directory_ + "PK\5\6" + little_endian(0, 4) + little_endian(members_, 2) +
                          little_endian(members_, 2) +
                          little_endian(static_cast<int64_t>(directory_.size()), 4) +
                          little_endian(begin, 4) + little_endian(0, 2);
  write(std::as_bytes(std::span(end)));
  file_.commit();
}

}  // namespace gradc
