// Copies elements between strided views: what every movement op does.
#pragma once
#include "runtime/core/tensor.h"

namespace gradc::ops {

/// A view of a tensor: element i is at offset + sum_k i[k] * strides[k], in elements.
struct View {
  int64_t offset = 0;
  std::vector<int64_t> strides;
};

/// to[to_view(i)] = from[from_view(i)] for all i in `shape`; both tensors have one dtype.
void copy_strided(const Shape& shape, const Tensor& from, const View& from_view, Tensor& to,
                  const View& to_view);

}  // namespace gradc::ops
