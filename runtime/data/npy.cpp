// The header of an array and the order of its elements.
#include "runtime/data/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "runtime/core/checked_size.h"
#include "runtime/data/byte_stream.h"
#include "runtime/data/split.h"
#include "runtime/printable.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kLongestHeader = 1 << 16;

// NumPy knows no bf16; V2 is what the package ml_dtypes stores it as.
constexpr std::pair<std::string_view, DType> kCodes[] = {
    {"b1", DType::Bool}, {"u1", DType::U8},  {"i4", DType::I32}, {"i8", DType::I64},
    {"f2", DType::F16},  {"f4", DType::F32}, {"f8", DType::F64}, {"V2", DType::BF16}};

std::optional<DType> dtype_of_code(std::string_view code) {
  for (const auto& [name, dtype] : kCodes)
    if (name == code) return dtype;
  return std::nullopt;
}

/// What stands behind `'key':` in a Python dict; empty where the key is not there.
std::string_view value_of(std::string_view dict, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string written = fmt::format("{0}{1}{0}", quote, key);
    size_t at = dict.find(written);
    if (at == std::string_view::npos) continue;
    at = dict.find_first_not_of(" ", at + written.size());
    if (at == std::string_view::npos || dict[at] != ':') continue;
    at = dict.find_first_not_of(" ", at + 1);
    return at == std::string_view::npos ? std::string_view() : dict.substr(at);
  }
  return {};
}

/// (3, 4), (3,) or (); nothing where the text has another form or a size is too large.
std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  std::vector<int64_t> dims;
  size_t at = 1;
  while (true) {
    at = text.find_first_not_of(" ", at);
    if (at == std::string_view::npos || dims.size() > kMostAxes) return std::nullopt;
    if (text[at] == ')') return dims;
    int64_t dim = 0;
    const auto [end, fault] = std::from_chars(text.data() + at, text.data() + text.size(), dim);
    if (fault != std::errc() || dim < 0) return std::nullopt;
    dims.push_back(dim);
    at = text.find_first_not_of(" L", static_cast<size_t>(end - text.data()));
    if (at == std::string_view::npos || (text[at] != ',' && text[at] != ')')) return std::nullopt;
    if (text[at] == ',') ++at;
  }
}

/// The elements, which lie with the first axis fastest, with the last axis fastest.
Tensor rows_first(const Tensor& columns, const std::string& name) {
  Tensor rows = reserve_tensor(columns.type(), name);
  const auto& dims = columns.shape().dims();
  const auto width = static_cast<size_t>(size_bytes(columns.dtype()));
  std::vector<int64_t> index(dims.size(), 0);
  std::vector<int64_t> stride(dims.size(), 1);
  for (size_t axis = 1; axis < dims.size(); ++axis)
    stride[axis] = stride[axis - 1] * dims[axis - 1];
  int64_t from = 0;
  for (int64_t to = 0; to < rows.size(); ++to) {
    std::memcpy(rows.raw() + static_cast<size_t>(to) * width,
                columns.raw() + static_cast<size_t>(from) * width, width);
    for (size_t axis = dims.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < dims[axis]) break;
      from -= stride[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return rows;
}

bool is_file_called(const std::string& path, std::string_view ending) {
  std::error_code ignored;
  return path.ends_with(ending) && std::filesystem::is_regular_file(path, ignored);
}

std::string field_name(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

NpyArray open_npy(ByteStream& stream) {
  NpyArray array(
      stream.path(), [&stream](std::span<std::byte> buffer) { return stream.read(buffer); },
      stream.size_limit());
  array.require_rows();
  return array;
}

}  // namespace

NpyArray::NpyArray(std::string name, ReadBytes read, int64_t most_bytes)
    : name_(std::move(name)), read_(std::move(read)) {
  read_header(most_bytes);
}

void NpyArray::require_rows() const {
  if (type_.shape.rank() == 0) refuse("it has no axis, so no rows");
  // No file is too small for any number of them.
  if (type_.shape[0] > 0 && type_.size_bytes() == 0) refuse("its rows hold nothing");
}

void NpyArray::refuse(const std::string& reason) const {
  throw Error(ExitCode::ModelOrData, "E0912",
              fmt::format("`{}` is no NumPy array that can be read: {}", printable(name_), reason));
}

void NpyArray::read_header(int64_t most_bytes) {
  std::array<std::byte, 8> start{};
  if (read_(start) < start.size() || std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0)
    refuse("it does not begin with \\x93NUMPY");
  const int version = std::to_integer<int>(start[6]);
  if (version < 1 || version > 3) refuse(fmt::format("its format has version {}", version));
  std::array<std::byte, 4> length_bytes{};
  const size_t length_width = version == 1 ? 2 : 4;
  if (read_(std::span(length_bytes).first(length_width)) < length_width) refuse("its header ends");
  int64_t length = 0;
  for (size_t i = length_width; i-- > 0;)
    length = length << 8 | std::to_integer<int64_t>(length_bytes[i]);
  if (length > kLongestHeader) refuse(fmt::format("its header has {} bytes", length));
  std::string text(static_cast<size_t>(length), ' ');
  if (read_(std::as_writable_bytes(std::span(text))) < text.size()) refuse("its header ends early");
  parse_header(text);
  const int64_t room = most_bytes - static_cast<int64_t>(start.size() + length_width) - length;
  if (type_.size_bytes() > std::max<int64_t>(room, 0))
    throw Error(ExitCode::ModelOrData, "E0913",
                fmt::format("`{}` promises {}, more than can follow; is it complete?",
                            printable(name_), to_string(type_)));
}

void NpyArray::parse_header(std::string_view text) {
  const std::string_view descr = value_of(text, "descr");
  if (descr.size() < 5 || (descr[0] != '\'' && descr[0] != '"') || descr[4] != descr[0])
    refuse("the dtype is none of bool, u8, i32, i64, bf16, f16, f32 and f64");
  const auto dtype = dtype_of_code(descr.substr(2, 2));
  if (!dtype || std::string_view("<>|=").find(descr[1]) == std::string_view::npos)
    refuse(fmt::format("the dtype `{}` is none of bool, u8, i32, i64, bf16, f16, f32 and f64",
                       printable(descr.substr(1, 3))));
  is_big_endian_ = descr[1] == '>' && size_bytes(*dtype) > 1;
  const std::string_view order = value_of(text, "fortran_order");
  if (!order.starts_with("True") && !order.starts_with("False"))
    refuse("`fortran_order` is neither True nor False");
  is_columns_first_ = order.starts_with("True");
  auto dims = parse_shape(value_of(text, "shape"));
  if (!dims) refuse("its shape cannot be read");
  if (!checked_element_count(*dims)) refuse("its shape is too large");
  type_ = {*dtype, Shape(std::move(*dims))};
}

Tensor NpyArray::read() {
  Tensor values = reserve_tensor(type_, name_);
  const auto promised = static_cast<size_t>(values.size_bytes());
  const size_t found = read_({values.raw(), promised});
  std::array<std::byte, 1> surplus{};
  const bool is_longer = found == promised && read_(surplus) > 0;
  if (found < promised || is_longer)
    throw Error(
        ExitCode::ModelOrData, "E0913",
        fmt::format("`{}`: {} is {} bytes, {} are there", printable(name_), to_string(type_),
                    promised, is_longer ? "more" : fmt::to_string(found)));
  if (is_big_endian_) swap_bytes(values);
  if (values.dtype() == DType::Bool)
    for (uint8_t& value : values.span<uint8_t>()) value = value != 0 ? 1 : 0;
  return is_columns_first_ && type_.shape.rank() > 1 ? rows_first(values, name_) : values;
}

std::string npy_header(const Type& type) {
  std::string code;
  for (const auto& [name, dtype] : kCodes)
    if (dtype == type.dtype) code = name;
  const auto& dims = type.shape.dims();
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 size_bytes(type.dtype) == 1 ? '|' : '<', code,
                                 fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
  constexpr size_t kStartBytes = 10;
  constexpr size_t kAlignment = 64;
  const size_t whole = (kStartBytes + text.size() + kAlignment) / kAlignment * kAlignment;
  text.resize(whole - kStartBytes - 1, ' ');
  text += '\n';
  const char start[] = {1, 0, static_cast<char>(text.size() & 0xFF),
                        static_cast<char>(text.size() >> 8)};
  return std::string(kMagic) + std::string(start, sizeof(start)) + text;
}

bool is_npy_file(const std::string& path) { return is_file_called(path, ".npy"); }
bool is_npz_file(const std::string& path) { return is_file_called(path, ".npz"); }

DataSplit load_npy(const DataSource& source) {
  ByteStream stream(source.path);
  const Dataset dataset{"npy", {{field_name(source.path), open_npy(stream).read()}}};
  return hold_out(dataset, source.number("test", 0), source.path);
}

DataDescription describe_npy(const DataSource& source) {
  ByteStream stream(source.path);
  const Type type = open_npy(stream).type();
  const auto& dims = type.shape.dims();
  DataDescription description{
      "npy",
      {{field_name(source.path),
        {type.dtype, Shape(std::vector<int64_t>(dims.begin() + 1, dims.end()))}}},
      dims[0],
      std::nullopt};
  hold_out(description, source.number("test", 0), source.path);
  return description;
}

}  // namespace gradc
