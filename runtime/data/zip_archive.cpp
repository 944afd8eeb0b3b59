// The directory at the end of a zip file (PKWARE's APPNOTE, 4.3) and zlib's inflate.
#include "runtime/data/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "runtime/core/error.h"
#include "runtime/data/byte_stream.h"
#include "runtime/data/whole_file.h"
#include "runtime/input_file.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr size_t kEndBytes = 22;
constexpr size_t kDirectoryBytes = 46;
constexpr size_t kLocalBytes = 30;
constexpr int64_t kLongest = 0xFFFFFFFF;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0917",
              fmt::format("`{}` is no zip archive that can be read: {}", path, reason));
}

std::string whole_archive(const std::string& path) {
  if (InputFile(path).size() > kLongest) refuse(path, "it is longer than 4 GiB");
  return read_bytes(path);
}

/// `width` bytes, the least significant first. The caller has checked the length.
int64_t number_at(std::string_view bytes, size_t offset, size_t width) {
  int64_t value = 0;
  for (size_t i = width; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

bool has_signature(std::string_view bytes, size_t offset, std::string_view kind) {
  return bytes.substr(offset).starts_with("PK") && bytes.substr(offset + 2).starts_with(kind);
}

/// Where the record is that ends the directory; a comment of up to 64 KiB may follow it.
size_t find_end(std::string_view bytes, const std::string& path) {
  const size_t farthest = std::min(bytes.size(), kEndBytes + 0xFFFF);
  for (size_t back = kEndBytes; back <= farthest; ++back) {
    const size_t offset = bytes.size() - back;
    if (has_signature(bytes, offset, "\x05\x06") &&
        number_at(bytes, offset + 20, 2) == static_cast<int64_t>(back - kEndBytes))
      return offset;
  }
  refuse(path, "it has no directory at its end; is the file complete?");
}

}  // namespace

ZipArchive::ZipArchive(const std::string& path) : path_(path), bytes_(whole_archive(path)) {
  const std::string_view bytes = bytes_;
  const size_t end = find_end(bytes, path);
  const int64_t count = number_at(bytes, end + 10, 2);
  if (number_at(bytes, end + 4, 2) != 0 || number_at(bytes, end + 8, 2) != count)
    refuse(path, "it is one of several parts");
  auto at = static_cast<size_t>(number_at(bytes, end + 16, 4));
  int64_t packed_bytes = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (at > end || end - at < kDirectoryBytes || !has_signature(bytes, at, "\x01\x02"))
      refuse(path, fmt::format("entry {} of its directory is damaged", i));
    const auto name_bytes = static_cast<size_t>(number_at(bytes, at + 28, 2));
    const auto rest =
        static_cast<size_t>(number_at(bytes, at + 30, 2) + number_at(bytes, at + 32, 2));
    if (end - at - kDirectoryBytes < name_bytes + rest)
      refuse(path, fmt::format("entry {} of its directory ends early", i));
    ZipMember member;
    member.name = bytes.substr(at + kDirectoryBytes, name_bytes);
    const int64_t method = number_at(bytes, at + 10, 2);
    member.is_deflated = method == 8;
    member.checksum = static_cast<uint32_t>(number_at(bytes, at + 16, 4));
    member.packed_bytes = number_at(bytes, at + 20, 4);
    member.bytes = number_at(bytes, at + 24, 4);
    member.header_offset = number_at(bytes, at + 42, 4);
    const std::string shown = printable(member.name);
    if ((number_at(bytes, at + 8, 2) & 1) != 0)
      refuse(path, fmt::format("`{}` is encrypted", shown));
    if (method != 0 && method != 8)
      refuse(path,
             fmt::format("`{}` is packed by method {}; 0 (stored) and 8 (deflated) can be read",
                         shown, method));
    if (member.bytes == kLongest || member.packed_bytes == kLongest ||
        member.header_offset == kLongest)
      refuse(path, fmt::format("`{}` needs zip64", shown));
    const bool is_possible = member.is_deflated
                                 ? member.bytes <= member.packed_bytes * kDeflateExpansion
                                 : member.bytes == member.packed_bytes;
    if (!is_possible)
      refuse(path,
             fmt::format("`{}` promises {} bytes in {}", shown, member.bytes, member.packed_bytes));
    packed_bytes += static_cast<int64_t>(packed(member).size());
    // Else a small file could inflate to anything, the same bytes again and again.
    if (packed_bytes > static_cast<int64_t>(bytes.size())) refuse(path, "its members overlap");
    members_.push_back(std::move(member));
    at += kDirectoryBytes + name_bytes + rest;
  }
}

std::span<const std::byte> ZipArchive::packed(const ZipMember& member) const {
  const auto offset = static_cast<size_t>(member.header_offset);
  const auto damaged = [&] {
    refuse(path_, fmt::format("`{}` lies outside of the file", printable(member.name)));
  };
  if (offset > bytes_.size() || bytes_.size() - offset < kLocalBytes ||
      !has_signature(bytes_, offset, "\x03\x04"))
    damaged();
  const size_t begin = offset + kLocalBytes +
                       static_cast<size_t>(number_at(bytes_, offset + 26, 2)) +
                       static_cast<size_t>(number_at(bytes_, offset + 28, 2));
  const auto length = static_cast<size_t>(member.packed_bytes);
  if (begin > bytes_.size() || bytes_.size() - begin < length) damaged();
  return {reinterpret_cast<const std::byte*>(bytes_.data()) + begin, length};
}

struct ZipStream::State {
  const ZipArchive& archive;
  const ZipMember& member;
  std::span<const std::byte> input;
  z_stream inflater{};
  uint32_t checksum = 0;
  int64_t done = 0;
  bool at_end = false;

  State(const ZipArchive& archive_, const ZipMember& member_)
      : archive(archive_), member(member_), input(archive_.packed(member_)) {
    if (member.is_deflated && inflateInit2(&inflater, -MAX_WBITS) != Z_OK)
      throw Error(ExitCode::InputOutput, "E0802", "no memory to inflate zip data");
  }
  ~State() {
    if (member.is_deflated) inflateEnd(&inflater);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[noreturn]] void damaged(const char* reason) const {
    refuse(archive.path(), fmt::format("`{}` is damaged: {}", printable(member.name), reason));
  }
  size_t copy_some(std::span<std::byte> buffer);
  size_t inflate_some(std::span<std::byte> buffer);
};

size_t ZipStream::State::copy_some(std::span<std::byte> buffer) {
  const size_t count = std::min(buffer.size(), input.size());
  if (count > 0) std::memcpy(buffer.data(), input.data(), count);
  input = input.subspan(count);
  at_end = input.empty();
  return count;
}

size_t ZipStream::State::inflate_some(std::span<std::byte> buffer) {
  const size_t wanted = std::min(buffer.size(), size_t{1} << 30);
  inflater.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
  inflater.avail_in = static_cast<uInt>(input.size());
  inflater.next_out = reinterpret_cast<Bytef*>(buffer.data());
  inflater.avail_out = static_cast<uInt>(wanted);
  const int result = inflate(&inflater, Z_NO_FLUSH);
  input = input.last(inflater.avail_in);
  const size_t count = wanted - inflater.avail_out;
  if (result == Z_STREAM_END)
    at_end = true;
  else if (result != Z_OK || (count == 0 && input.empty()))
    damaged(inflater.msg != nullptr ? inflater.msg : "its data ends early");
  return count;
}

ZipStream::ZipStream(const ZipArchive& archive, const ZipMember& member)
    : state_(std::make_unique<State>(archive, member)) {}
ZipStream::~ZipStream() = default;

size_t ZipStream::read(std::span<std::byte> buffer) {
  State& state = *state_;
  size_t done = 0;
  while (done < buffer.size() && !state.at_end) {
    const auto rest = buffer.subspan(done);
    const size_t count =
        state.member.is_deflated ? state.inflate_some(rest) : state.copy_some(rest);
    state.checksum = static_cast<uint32_t>(crc32(
        state.checksum, reinterpret_cast<const Bytef*>(rest.data()), static_cast<uInt>(count)));
    done += count;
    state.done += static_cast<int64_t>(count);
    if (state.done > state.member.bytes) state.damaged("it is longer than promised");
  }
  if (state.at_end && state.done != state.member.bytes)
    state.damaged("it is shorter than promised");
  if (state.at_end && state.checksum != state.member.checksum)
    state.damaged("its checksum differs");
  return done;
}

}  // namespace gradc
