// Values to bytes and back, both by one list of fields for each type.
//
// A type T is written and read by `fields(archive, value)`, found by its arguments' namespaces,
// which passes every member to the archive. Little endian, as the machine's; vectors and strings
// behind their length. The bytes are for the same build of the runtime only.
#pragma once
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

/// Where tensors lie in the bytes, so that they can be used in place.
inline constexpr size_t kArchiveAlignment = 64;

template <typename T>
concept PlainValue = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class ByteWriter {
 public:
  template <typename T>
  using Ref = const T&;

  template <typename... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  template <PlainValue T>
  void put(T value) {
    raw(&value, sizeof value);
  }
  void put(const std::string& text) {
    put(uint64_t{text.size()});
    raw(text.data(), text.size());
  }
  template <typename T>
  void put(const std::vector<T>& values) {
    put(uint64_t{values.size()});
    for (const T& value : values) put(value);
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename A, typename B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <typename... Alternatives>
  void put(const std::variant<Alternatives...>& value) {
    put(static_cast<uint8_t>(value.index()));
    std::visit([&](const auto& typed) { put(typed); }, value);
  }
  /// Not null.
  template <typename T>
  void put(const std::shared_ptr<T>& value) {
    put(*value);
  }
  void put(const Tensor& tensor) {
    put(tensor.is_empty());
    if (tensor.is_empty()) return;
    put(tensor.type());
    bytes_.resize((bytes_.size() + kArchiveAlignment - 1) / kArchiveAlignment * kArchiveAlignment);
    raw(tensor.raw(), static_cast<size_t>(tensor.size_bytes()));
  }
  template <typename T>
  requires std::is_class_v<T>
  void put(const T& value) { fields(*this, value); }

  std::string bytes_;
};

/// Reads what ByteWriter wrote. Bytes that end early are a bug (CHECK): they are compiled in.
class ByteReader {
 public:
  template <typename T>
  using Ref = T&;

  /// `bytes` are aligned to kArchiveAlignment; tensors refer to them, so they must stay.
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }
  bool is_at_end() const { return position_ == bytes_.size(); }

 private:
  const std::byte* take(size_t size);
  size_t length();
  static void check_alternative(size_t index, size_t count);

  template <PlainValue T>
  void get(T& value) {
    std::memcpy(&value, take(sizeof value), sizeof value);
  }
  void get(std::string& text) {
    const size_t size = length();
    text.assign(reinterpret_cast<const char*>(take(size)), size);
  }
  template <typename T>
  void get(std::vector<T>& values) {
    values.resize(length());
    for (T& value : values) get(value);
  }
  template <typename T>
  void get(std::optional<T>& value) {
    bool has_value = false;
    get(has_value);
    if (!has_value) return value.reset();
    get(value.emplace());
  }
  template <typename A, typename B>
  void get(std::pair<A, B>& value) {
    get(value.first);
    get(value.second);
  }
  template <typename... Alternatives>
  void get(std::variant<Alternatives...>& value) {
    uint8_t index = 0;
    get(index);
    uint8_t place = 0;
    (
        [&] {
          if (place++ == index) get(value.template emplace<Alternatives>());
        }(),
        ...);
    check_alternative(index, place);
  }
  template <typename T>
  void get(std::shared_ptr<T>& value) {
    value = std::make_shared<T>();
    get(*value);
  }
  void get(Tensor& tensor) {
    bool is_empty = false;
    get(is_empty);
    if (is_empty) return;
    Type type;
    get(type);
    position_ = (position_ + kArchiveAlignment - 1) / kArchiveAlignment * kArchiveAlignment;
    const std::byte* data = take(static_cast<size_t>(type.size_bytes()));
    tensor = Tensor(type, const_cast<std::byte*>(data), nullptr);
  }
  template <typename T>
  requires std::is_class_v<T>
  void get(T& value) { fields(*this, value); }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

/// Shapes have no members of their own to list.
inline void fields(ByteWriter& archive, const Type& type) {
  archive(type.dtype, type.shape.dims());
}
inline void fields(ByteReader& archive, Type& type) {
  std::vector<int64_t> dims;
  archive(type.dtype, dims);
  type.shape = Shape(std::move(dims));
}

}  // namespace gradc
