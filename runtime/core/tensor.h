// A dense row-major array in memory.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "runtime/core/shape.h"

namespace gradc {

/// A type and its elements, 64-byte aligned. Copies share the memory; clone() does not.
/// Throws Error (InputOutput, E0802) where memory cannot be had.
class Tensor {
 public:
  Tensor() = default;
  /// All elements zero.
  explicit Tensor(Type type);
  Tensor(DType dtype, Shape shape) : Tensor(Type{dtype, std::move(shape)}) {}
  /// A tensor over memory that somebody else owns and that `owner` keeps alive.
  Tensor(Type type, std::byte* memory, std::shared_ptr<void> owner);

  template <typename T>
  static Tensor from(DType dtype, Shape shape, std::span<const T> values) {
    Tensor tensor(dtype, std::move(shape));
    CHECK(tensor.size() == static_cast<int64_t>(values.size()));
    std::copy(values.begin(), values.end(), tensor.span<T>().begin());
    return tensor;
  }
  /// A rank-0 tensor of `dtype` that holds `value`, converted.
  static Tensor scalar(DType dtype, double value);

  const Type& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  int64_t size() const { return size_; }
  int64_t size_bytes() const { return size_ * gradc::size_bytes(type_.dtype); }
  bool is_empty() const { return size_ == 0; }

  std::byte* raw() { return memory_; }
  const std::byte* raw() const { return memory_; }
  /// The elements; T must be the type that visit_dtype gives for dtype().
  template <typename T>
  std::span<T> span() {
    check_element(sizeof(T));
    return {reinterpret_cast<T*>(memory_), static_cast<size_t>(size_)};
  }
  template <typename T>
  std::span<const T> span() const {
    check_element(sizeof(T));
    return {reinterpret_cast<const T*>(memory_), static_cast<size_t>(size_)};
  }

  /// Element `index` (row-major) as a double; i64 beyond 2^53 is rounded.
  double at(int64_t index) const;
  void set(int64_t index, double value);

  Tensor clone() const;
  /// The same elements under another shape of the same element count; shares the memory.
  Tensor reshaped(Shape shape) const;

 private:
  void check_element(size_t bytes) const;

  Type type_;
  int64_t size_ = 0;
  std::byte* memory_ = nullptr;
  std::shared_ptr<void> owner_;
};

/// Turns the bytes of each element around: big-endian numbers become ours.
void swap_bytes(Tensor& tensor);

/// The same dtype, shape and bytes (so NaNs are equal to themselves and -0 differs from 0).
bool same_bits(const Tensor& a, const Tensor& b);

/// Zeroed memory of at least one byte, 64-byte aligned. Throws Error (InputOutput, E0802).
std::shared_ptr<std::byte> allocate_zeroed(int64_t bytes);

}  // namespace gradc
