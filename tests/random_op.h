// Random legal operands and attributes of single ops, for conformance tests of every stage.
#pragma once
#include "ir/builder.h"
#include "tests/random_source.h"

namespace gradc::testing {

/// Operands and attributes that the op's shape rule accepts.
struct OpCase {
  std::vector<Tensor> operands;
  Attrs attrs;
};

/// Sizes 0 and 1 and lengths that no vector width divides come often; at most `max_elements`.
Shape random_shape(RandomSource& random, int64_t max_elements = 600);

/// Floats in [low, high), integers and bools in their small range.
Tensor random_tensor(RandomSource& random, const Type& type, double low = -2, double high = 2);

/// Float dtypes for every op that takes or makes floats, integer dtypes for the ops that take them.
/// Values lie where the op is defined and, for floats, away from its poles. Not for Group.
OpCase random_op_case(OpKind kind, uint64_t seed, DType dtype, int64_t max_elements = 600);

/// Whether random_op_case has cases of that dtype.
bool takes_dtype(OpKind kind, DType dtype);

/// A graph of mode run with the one node: inputs "0", "1", ... and outputs "0", "1", ...
Graph single_node_graph(OpKind kind, const OpCase& op_case);

}  // namespace gradc::testing
