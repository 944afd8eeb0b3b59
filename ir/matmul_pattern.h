// Recognizes a body that is one matrix product with an epilogue.
#pragma once
#include <optional>
#include <string>

#include "ir/graph.h"

namespace gradc {

/// out[b, m, n] = activation(sum_k lhs[b, m, k] * rhs[b, k, n] + bias[n]), all f32.
/// Strides are in elements of the body's inputs and output, in the order of the formula's indices;
/// the stride of an index of size 1 is 1.
struct MatmulPattern {
  enum class Activation : uint8_t { None, Relu, Tanh, Sigmoid };
  int64_t batch = 1, m = 1, n = 1, k = 1;
  std::vector<int64_t> lhs_strides, rhs_strides, out_strides;
  int32_t lhs = 0, rhs = 0;  // positions of the body's inputs
  int32_t bias = -1;         // of n contiguous elements, or -1
  Activation activation = Activation::None;
};

/// The product a body computes; nothing if it computes anything else or if its axes cannot be seen
/// as one batch, row, column and contracted index each. Operands may be transposed, so may the
/// product; a bias is added to the product, relu is maximum(x, 0), in this order.
std::optional<MatmulPattern> match_matmul(const Graph& body);

}  // namespace gradc
