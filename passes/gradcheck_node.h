// One derivative rule against central differences.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Along one direction of one operand: the derivative from the rule, and the difference quotient.
struct VjpDifference {
  size_t operand = 0;
  double derivative = 0;
  double quotient = 0;
  bool agrees = true;
};

/// Compares the vjp of one node with central differences of its eval at `operands` (f64 where
/// float), for random cotangents and, for each float operand, a random direction; both follow from
/// `seed`. Empty for nodes with no float operand or result, or non-finite values there.
/// Throws what the rule throws.
std::vector<VjpDifference> check_vjp(OpKind kind, const Attrs& attrs,
                                     std::span<const Tensor> operands, uint64_t seed = 0);

/// Is |derivative - quotient| <= 1e-5 * max(|derivative|, |quotient|) + 1e-8 * magnitude?
/// `magnitude` is the size of the numbers that were subtracted in the quotient.
bool derivatives_agree(double derivative, double quotient, double magnitude);

/// Elements uniform in [-1, 1), a function of seed and stream.
Tensor random_direction(const Shape& shape, uint64_t seed, uint64_t stream);
/// sum_i a[i] * b[i], both f64.
double inner_product(const Tensor& a, const Tensor& b);
/// a + scale * b, both f64.
Tensor moved(const Tensor& a, double scale, const Tensor& b);

}  // namespace gradc
