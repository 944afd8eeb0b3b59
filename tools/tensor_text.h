// Tensors for reading.
#pragma once
#include <string>

#include "runtime/core/tensor.h"

namespace gradc {

/// "6", "[1, 2, 3]", or rows of aligned columns, one line a row; the middle of long axes is left
/// out.
std::string tensor_text(const Tensor& tensor);

}  // namespace gradc
