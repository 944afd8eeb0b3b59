// Evaluates one op on tensors written as numbers.
#pragma once
#include "ir/builder.h"
#include "ir/interpret.h"
#include "tests/random_op.h"

namespace gradc::testing {

inline Tensor tensor(DType dtype, Shape shape, std::initializer_list<double> values) {
  Tensor result(dtype, std::move(shape));
  CHECK(result.size() == static_cast<int64_t>(values.size()));
  int64_t i = 0;
  for (double value : values) result.set(i++, value);
  return result;
}
/// A vector.
inline Tensor tensor(DType dtype, std::initializer_list<double> values) {
  return tensor(dtype, Shape{static_cast<int64_t>(values.size())}, values);
}

/// The results of one node, through the builder and the interpreter.
inline std::vector<Tensor> run_op(OpKind kind, std::vector<Tensor> operands, Attrs attrs = {}) {
  const Graph graph = single_node_graph(kind, {operands, std::move(attrs)});
  return interpret(graph, operands);
}

/// Elements of the first result as doubles.
inline std::vector<double> run_values(OpKind kind, std::vector<Tensor> operands, Attrs attrs = {}) {
  const Tensor result = run_op(kind, std::move(operands), std::move(attrs)).at(0);
  std::vector<double> values;
  for (int64_t i = 0; i < result.size(); ++i) values.push_back(result.at(i));
  return values;
}

/// The same numbers; NaNs are equal to each other, and zeros have the same sign.
inline bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);
    if (!both_nan && (a[i] != b[i] || std::signbit(a[i]) != std::signbit(b[i]))) return false;
  }
  return true;
}

}  // namespace gradc::testing
