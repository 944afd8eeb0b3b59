// Shapes and tensor types: "f32[128, 784]".
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "runtime/core/dtype.h"

namespace gradc {

/// The sizes of the axes, outermost first; row-major. A scalar has rank 0. Sizes are >= 0.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}

  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  int64_t operator[](int64_t axis) const { return dims_[static_cast<size_t>(axis)]; }
  const std::vector<int64_t>& dims() const { return dims_; }
  auto begin() const { return dims_.begin(); }
  auto end() const { return dims_.end(); }

  /// Product of the sizes; throws Error (InputOutput, E0801) where it passes 2^46: no machine holds
  /// it.
  int64_t element_count() const;
  /// Row-major strides in elements.
  std::vector<int64_t> strides() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::vector<int64_t> dims_;
};

/// A dtype and a shape.
struct Type {
  DType dtype = DType::F32;
  Shape shape;

  /// Throws as Shape::element_count.
  int64_t size_bytes() const;
  friend bool operator==(const Type&, const Type&) = default;
};

/// "[128, 784]".
std::string to_string(const Shape& shape);
/// "f32[128, 784]".
std::string to_string(const Type& type);

}  // namespace gradc
