// Nested brackets, the elements of one width.
#include "tools/tensor_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradc {
namespace {

constexpr int64_t kLongestAxis = 10;
constexpr int64_t kShownAtEnds = 3;

std::string element_text(const Tensor& tensor, int64_t index) {
  if (tensor.dtype() == DType::Bool) return tensor.at(index) != 0 ? "true" : "false";
  if (tensor.dtype() == DType::I64)
    return std::to_string(tensor.span<int64_t>()[static_cast<size_t>(index)]);
  const double value = tensor.at(index);
  if (std::isnan(value)) return "nan";                     // whatever its sign bit
  return fmt::format("{:.6g}", value == 0 ? 0.0 : value);  // no "-0"
}

class TensorWriter {
 public:
  explicit TensorWriter(const Tensor& tensor) : tensor_(tensor) {
    visit(0, 0,
          [&](int64_t index) { width_ = std::max(width_, element_text(tensor_, index).size()); });
    if (tensor_.shape().rank() < 2) width_ = 0;
  }

  std::string write() { return write(0, 0); }

 private:
  int64_t size(int64_t axis) const { return tensor_.shape()[axis]; }
  bool is_left_out(int64_t axis, int64_t i) const {
    return size(axis) > kLongestAxis && i >= kShownAtEnds && i < size(axis) - kShownAtEnds;
  }
  int64_t stride(int64_t axis) const {
    return tensor_.shape().strides()[static_cast<size_t>(axis)];
  }

  /// Calls `use` with the index of each element that is shown.
  template <typename Use>
  void visit(int64_t axis, int64_t offset, const Use& use) {
    if (axis == tensor_.shape().rank()) return use(offset);
    for (int64_t i = 0; i < size(axis); ++i)
      if (!is_left_out(axis, i)) visit(axis + 1, offset + i * stride(axis), use);
  }

  std::string write(int64_t axis, int64_t offset) {
    const int64_t rank = tensor_.shape().rank();
    if (axis == rank) return fmt::format("{:>{}}", element_text(tensor_, offset), width_);
    const bool is_innermost = axis == rank - 1;
    // Blank lines part the matrices of a higher rank.
    const std::string gap = is_innermost
                                ? ", "
                                : "," + std::string(static_cast<size_t>(rank - axis - 1), '\n') +
                                      std::string(static_cast<size_t>(axis + 1), ' ');
    std::string text = "[";
    for (int64_t i = 0; i < size(axis); ++i) {
      if (is_left_out(axis, i)) {
        if (i == kShownAtEnds) text += gap + "...";
        continue;
      }
      text += (i == 0 ? "" : gap) + write(axis + 1, offset + i * stride(axis));
    }
    return text + "]";
  }

  const Tensor& tensor_;
  size_t width_ = 0;
};

}  // namespace

std::string tensor_text(const Tensor& tensor) { return TensorWriter(tensor).write(); }

}  // namespace gradc
