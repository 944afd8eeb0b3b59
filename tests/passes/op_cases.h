// For every op that has a derivative: operand types and attributes of at least twenty shapes.
#pragma once
#include "ir/builder.h"

namespace gradc {

struct OpCase {
  OpKind kind;
  std::vector<Type> operands;
  Attrs attrs;
  /// Float operands are drawn from here.
  double low = -2;
  double high = 2;
  /// Integer operands are drawn from [0, limit).
  int64_t limit = 2;
};

/// Sizes 0 and 1, one vector and one more, odd ones, several ranks.
std::span<const Shape> test_shapes();

/// Empty for ops without derivative.
std::vector<OpCase> op_cases(OpKind kind);

/// The operands, drawn from `seed`.
std::vector<Tensor> draw_operands(const OpCase& op_case, uint64_t seed);

/// y = sum(weights * op(operands)) with random weights, and the outputs gradient(y, floats).
/// With `second_order`: z = sum(weights * gradients) and gradient(z, floats) instead.
Graph gradient_graph(const OpCase& op_case, bool second_order, uint64_t seed);

}  // namespace gradc
