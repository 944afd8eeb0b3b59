// Header checks and big-endian elements of IDX files.
#include "runtime/data/idx.h"

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/core/checked_size.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

std::optional<DType> dtype_of_code(int code) {
  switch (code) {
    case 0x08:
      return DType::U8;
    case 0x0C:
      return DType::I32;
    case 0x0D:
      return DType::F32;
    case 0x0E:
      return DType::F64;
    default:
      return std::nullopt;
  }
}

template <typename... Args>
[[noreturn]] void throw_data(const char* code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ExitCode::ModelOrData, code, fmt::format(format, std::forward<Args>(args)...));
}

int64_t big_endian_u32(const std::byte* bytes) {
  int64_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<int64_t>(bytes[i]);
  return value;
}

}  // namespace

IdxFile::IdxFile(const std::string& path) : stream_(path) {
  read_header();
  check_size();
}

void IdxFile::read_header() {
  std::array<std::byte, 4> magic{};
  if (stream_.read(magic) < magic.size())
    throw_data("E0912", "`{}` is no IDX file: it ends inside the first four bytes", path());
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0})
    throw_data("E0912", "`{}` is no IDX file: it begins with {:02x} {:02x}, not with 00 00", path(),
               std::to_integer<int>(magic[0]), std::to_integer<int>(magic[1]));
  const int code = std::to_integer<int>(magic[2]);
  const auto dtype = dtype_of_code(code);
  if (!dtype)
    throw_data("E0912",
               "`{}`: the IDX element type {:#04x} is not supported; u8 (0x08), i32 (0x0c), f32 "
               "(0x0d) and f64 (0x0e) are",
               path(), code);
  const auto rank = std::to_integer<size_t>(magic[3]);
  if (rank < 1 || rank > 8)
    throw_data("E0912", "`{}`: an IDX file has 1 to 8 axes, the header says {}", path(), rank);
  std::array<std::byte, 32> sizes{};
  const auto wanted = std::span(sizes).first(rank * 4);
  if (stream_.read(wanted) < wanted.size())
    throw_data("E0913", "`{}` ends inside its header, which promises {} axes", path(), rank);
  std::vector<int64_t> dims(rank);
  for (size_t axis = 0; axis < rank; ++axis) dims[axis] = big_endian_u32(sizes.data() + axis * 4);
  type_ = {*dtype, Shape(std::move(dims))};
  header_bytes_ = static_cast<int64_t>(magic.size() + wanted.size());
}

void IdxFile::check_size() const {
  const int64_t limit = stream_.size_limit() - header_bytes_;
  const std::optional<int64_t> count = checked_element_count(type_.shape.dims());
  if (!count || *count * size_bytes(type_.dtype) > limit)
    throw_data("E0913",
               "`{}` promises {}, more than its {}{} bytes can hold; is the file complete?", path(),
               to_string(type_), stream_.file_size(), stream_.is_gzip() ? " compressed" : "");
}

Tensor IdxFile::read() {
  Tensor tensor = reserve_tensor(type_, path());
  const auto promised = static_cast<size_t>(tensor.size_bytes());
  const size_t found = stream_.read({tensor.raw(), promised});
  if (found < promised)
    throw_data("E0913", "`{}` is truncated: {} is {} bytes, {} are there", path(), to_string(type_),
               promised, found);
  std::array<std::byte, 1> surplus{};
  if (stream_.read(surplus) > 0)
    throw_data("E0913", "`{}` has more bytes than its header promises: {} is {} bytes", path(),
               to_string(type_), promised);
  swap_bytes(tensor);
  return tensor;
}

Tensor read_idx(const std::string& path) { return IdxFile(path).read(); }

}  // namespace gradc
