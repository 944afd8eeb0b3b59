// Element counts and the printed form of shapes.
#include "runtime/core/shape.h"

#include "runtime/core/checked_size.h"

namespace gradc {

int64_t Shape::element_count() const {
  for (int64_t dim : dims_) CHECK(dim >= 0, "negative size in {}", to_string(*this));
  const std::optional<int64_t> count = checked_element_count(dims_);
  if (!count)
    throw Error(ExitCode::InputOutput, "E0801",
                fmt::format("a tensor of shape {} does not fit into memory", to_string(*this)));
  return *count;
}

std::vector<int64_t> Shape::strides() const {
  std::vector<int64_t> strides(dims_.size(), 1);
  for (size_t axis = dims_.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims_[axis];
  return strides;
}

int64_t Type::size_bytes() const { return shape.element_count() * gradc::size_bytes(dtype); }

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.dims(), ", "));
}

std::string to_string(const Type& type) {
  return fmt::format("{}{}", name(type.dtype), to_string(type.shape));
}

}  // namespace gradc
