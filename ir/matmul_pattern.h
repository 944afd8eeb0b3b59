// Recognizes a body that is one matrix product with an epilogue.
#pragma once
#include <optional>
#include <string>

#include "ir/graph.h"

namespace gradc {

/// out[o, b, m, n] = activation(sum_k lhs[o, b, m, k] * rhs[o, b, k, n] + bias[n]), all f32.
/// Strides are in elements of the body's inputs and output, in the order of the formula's indices;
/// the stride of an index of size 1 is 1.
struct MatmulPattern {
  enum class Activation : uint8_t { None, Relu, Tanh, Sigmoid };
  int64_t outer = 1, batch = 1, m = 1, n = 1, k = 1;
  std::vector<int64_t> lhs_strides, rhs_strides, out_strides;  // without o
  int64_t lhs_outer = 0, rhs_outer = 0, out_outer = 0;         // strides of o
  int32_t lhs = 0, rhs = 0;                                    // positions of the body's inputs
  int32_t bias = -1;                                           // of n contiguous elements, or -1
  Activation activation = Activation::None;
};

/// The product a body computes; nothing if it computes anything else or if its axes cannot be seen
/// as two batch, one row, one column and one contracted index. Operands may be transposed, so may
/// the product; a bias is added to the product, relu is maximum(x, 0), in this order.
std::optional<MatmulPattern> match_matmul(const Graph& body);

/// Rows that a tile of loops computes side by side: so many fill the registers beside four vectors
/// of columns, fewer leave the multiply-adds waiting for each other.
inline constexpr int64_t kLeastTileRows = 4;
inline constexpr int64_t kMostTileRows = 6;

/// Are the generated loops as fast as the library, or faster? Measured on Zen 4: they are where
/// vectors of columns lie side by side in memory and the rows divide into tiles that fill the
/// registers. What reads the product can then be computed in the same loops.
bool suits_loops(const MatmulPattern& pattern);

}  // namespace gradc
