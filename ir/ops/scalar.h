// The scalar table: what each elementwise op means, once, over any scalar algebra S.
//
// Users: plain numbers (scalar_numbers.h: interpreter, folding), GraphScalar and Dual
// (scalar_graph.h: derivatives), and the LLVM values of code generation. An algebra S is a copyable
// type with these functions, found beside S by argument-dependent lookup. All operands of one call
// have one dtype and all results that dtype, except that comparisons and logical functions give
// truth values and `select` takes one first. What a truth value is, is S's affair (plain numbers
// use 1 and 0 of the same type, LLVM values a bool). No operation may be contracted or reassociated
// with another one's.
//
//   every dtype but bool:
//     a + b   a - b   a * b   -a        integers wrap around (u8 too)
//     less(a, b)   less_equal(a, b)   greater(a, b)   greater_equal(a, b)
//                                       ordered: false where an operand is NaN
//     maximum(a, b) = isnan(a) || a > b ? a : b    so a NaN wins, and equal operands (also +0, -0)
//     minimum(a, b) = isnan(a) || a < b ? a : b    give b
//     abs(a)                            clears the sign bit; the lowest integer stays
//     floor(a)   ceil(a)   round(a)     round: to nearest, halves to even; identity of integers
//     floor_div(a, b)                   floats: floor(a / b). Integers: rounds to -infinity; 0
//     where
//                                       b = 0; lowest / -1 wraps to itself
//     floor_mod(a, b)                   floats: a - floor(a / b) * b, in three roundings. Integers:
//                                       a - floor_div(a, b) * b; 0 where b = 0
//     like(a, double)                   a literal of a's dtype (and vector length)
//   every dtype, bool too:
//     equal(a, b)                       false where an operand is NaN
//     not_equal(a, b)                   true where an operand is NaN
//     select(truth, a, b)               a where true; never computes with the other one
//   floats only:
//     a / b   sqrt(a)   exp(a)   expm1(a)   log(a)   log1p(a)   sin(a)   cos(a)   tanh(a)
//     erf(a)   erfc(a)   sigmoid(a)     1 / (1 + exp(-a)), without overflow
//     pow(a, b)                         edge cases as C's pow
//   truth values:
//     logical_and(p, q)   logical_or(p, q)   logical_not(p)
//
// f16 and bf16 are evaluated in f32 and rounded after each op.
#pragma once
#include <span>

#include "ir/op_kind.h"
#include "ir/ops/scalar_numbers.h"

namespace gradc::scalar {

// Declared for every op, defined for the elementwise ones.
#define OP(Kind, text, op_class) struct Kind;
#include "ir/ops.def"

/// The operand dtypes a row accepts.
enum class Domain : uint8_t { Bool, Float, Number, Any };

/// The facts of a row. `doc` starts with the formula; `max_ulp` bounds the error of compiled f32
/// code against the exact result. Rows without derivative have the derivative zero everywhere.
struct RowFacts {
  Domain domain = Domain::Number;
  bool gives_bool = false;
  bool has_derivative = true;
  double max_ulp = 0.5;
  std::string_view doc;
};

struct Neg {
  static constexpr RowFacts facts{.doc = "-a. Integers wrap around."};
  static auto apply(auto a) { return -a; }
};
struct Abs {
  static constexpr RowFacts facts{.doc =
                                      "|a|. The lowest integer stays; the derivative at 0 is 0."};
  static auto apply(auto a) { return abs(a); }
};
struct Sign {
  static constexpr RowFacts facts{
      .has_derivative = false,
      .doc = "1 where a > 0, -1 where a < 0, else a (a zero or NaN). The derivative is 0."};
  static auto apply(auto a) {
    const auto zero = like(a, 0);
    return select(greater(a, zero), like(a, 1), select(less(a, zero), like(a, -1), a));
  }
};
struct Floor {
  static constexpr RowFacts facts{.has_derivative = false,
                                  .doc = "The largest whole number <= a. The derivative is 0."};
  static auto apply(auto a) { return floor(a); }
};
struct Ceil {
  static constexpr RowFacts facts{.has_derivative = false,
                                  .doc = "The smallest whole number >= a. The derivative is 0."};
  static auto apply(auto a) { return ceil(a); }
};
struct Round {
  static constexpr RowFacts facts{
      .has_derivative = false,
      .doc = "The nearest whole number, halves to the even one. The derivative is 0."};
  static auto apply(auto a) { return round(a); }
};
struct Exp {
  static constexpr RowFacts facts{.domain = Domain::Float, .max_ulp = 2, .doc = "e^a."};
  static auto apply(auto a) { return exp(a); }
};
struct Expm1 {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 4, .doc = "e^a - 1, exact near 0."};
  static auto apply(auto a) { return expm1(a); }
};
struct Log {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 2, .doc = "ln a. -inf at 0, NaN below."};
  static auto apply(auto a) { return log(a); }
};
struct Log1p {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 4, .doc = "ln(1 + a), exact near 0."};
  static auto apply(auto a) { return log1p(a); }
};
struct Sqrt {
  static constexpr RowFacts facts{.domain = Domain::Float,
                                  .doc = "The square root of a. The derivative at 0 is infinite."};
  static auto apply(auto a) { return sqrt(a); }
};
struct Sin {
  static constexpr RowFacts facts{.domain = Domain::Float, .max_ulp = 4, .doc = "sin a."};
  static auto apply(auto a) { return sin(a); }
};
struct Cos {
  static constexpr RowFacts facts{.domain = Domain::Float, .max_ulp = 4, .doc = "cos a."};
  static auto apply(auto a) { return cos(a); }
};
struct Tanh {
  static constexpr RowFacts facts{.domain = Domain::Float, .max_ulp = 4, .doc = "tanh a."};
  static auto apply(auto a) { return tanh(a); }
};
struct Erf {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 4, .doc = "2 / sqrt(pi) * integral of e^(-t^2), 0 to a."};
  static auto apply(auto a) { return erf(a); }
};
struct Erfc {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 4, .doc = "1 - erf(a), exact in the right tail."};
  static auto apply(auto a) { return erfc(a); }
};
struct Sigmoid {
  static constexpr RowFacts facts{
      .domain = Domain::Float, .max_ulp = 4, .doc = "1 / (1 + e^-a), without overflow."};
  static auto apply(auto a) { return sigmoid(a); }
};
struct Not {
  static constexpr RowFacts facts{.domain = Domain::Bool,
                                  .gives_bool = true,
                                  .has_derivative = false,
                                  .max_ulp = 0,
                                  .doc = "True where a is false."};
  static auto apply(auto a) { return logical_not(a); }
};
struct Add {
  static constexpr RowFacts facts{.doc = "a + b. Integers wrap around."};
  static auto apply(auto a, auto b) { return a + b; }
};
struct Sub {
  static constexpr RowFacts facts{.doc = "a - b. Integers wrap around."};
  static auto apply(auto a, auto b) { return a - b; }
};
struct Mul {
  static constexpr RowFacts facts{.doc = "a * b. Integers wrap around."};
  static auto apply(auto a, auto b) { return a * b; }
};
struct Div {
  static constexpr RowFacts facts{.domain = Domain::Float, .doc = "a / b, of floats."};
  static auto apply(auto a, auto b) { return a / b; }
};
struct FloorDiv {
  static constexpr RowFacts facts{
      .has_derivative = false,
      .doc = "floor(a / b). Integers: 0 where b is 0, lowest / -1 wraps. The derivative is 0."};
  static auto apply(auto a, auto b) { return floor_div(a, b); }
};
struct Mod {
  static constexpr RowFacts facts{
      .doc = "a - floor(a / b) * b. Integers: 0 where b is 0. Derivative: 1 and -floor(a / b)."};
  static auto apply(auto a, auto b) { return floor_mod(a, b); }
};
struct Pow {
  static constexpr RowFacts facts{
      .domain = Domain::Float,
      .max_ulp = 4,
      .doc = "a^b, edge cases as C's pow. The derivative by a is 0 where b = 0, by b where a = 0."};
  static auto apply(auto a, auto b) { return pow(a, b); }
};
struct Maximum {
  static constexpr RowFacts facts{
      .doc =
          "The larger of a and b, NaN if one is; b where they are equal, which takes the "
          "gradient too (so maximum(x, 0) has the derivative 0 at 0)."};
  static auto apply(auto a, auto b) { return maximum(a, b); }
};
struct Minimum {
  static constexpr RowFacts facts{
      .doc =
          "The smaller of a and b, NaN if one is; b where they are equal, which takes the "
          "gradient too."};
  static auto apply(auto a, auto b) { return minimum(a, b); }
};

/// Facts of logical functions and comparisons.
constexpr RowFacts truth_facts(Domain domain, std::string_view doc) {
  return {.domain = domain, .gives_bool = true, .has_derivative = false, .max_ulp = 0, .doc = doc};
}
struct And {
  static constexpr RowFacts facts = truth_facts(Domain::Bool, "True where both are true.");
  static auto apply(auto a, auto b) { return logical_and(a, b); }
};
struct Or {
  static constexpr RowFacts facts = truth_facts(Domain::Bool, "True where one or both are true.");
  static auto apply(auto a, auto b) { return logical_or(a, b); }
};
struct Equal {
  static constexpr RowFacts facts = truth_facts(Domain::Any, "a = b. A NaN equals nothing.");
  static auto apply(auto a, auto b) { return equal(a, b); }
};
struct NotEqual {
  static constexpr RowFacts facts = truth_facts(Domain::Any, "a != b. A NaN differs from all.");
  static auto apply(auto a, auto b) { return not_equal(a, b); }
};
struct Less {
  static constexpr RowFacts facts = truth_facts(Domain::Number, "a < b. False for a NaN.");
  static auto apply(auto a, auto b) { return less(a, b); }
};
struct LessEqual {
  static constexpr RowFacts facts = truth_facts(Domain::Number, "a <= b. False for a NaN.");
  static auto apply(auto a, auto b) { return less_equal(a, b); }
};
struct Greater {
  static constexpr RowFacts facts = truth_facts(Domain::Number, "a > b. False for a NaN.");
  static auto apply(auto a, auto b) { return greater(a, b); }
};
struct GreaterEqual {
  static constexpr RowFacts facts = truth_facts(Domain::Number, "a >= b. False for a NaN.");
  static auto apply(auto a, auto b) { return greater_equal(a, b); }
};
struct Select {
  static constexpr RowFacts facts{
      .domain = Domain::Any,
      .max_ulp = 0,
      .doc = "b where a (bool) is true, else c. The operand that is not taken gets gradient 0."};
  static auto apply(auto condition, auto a, auto b) { return select(condition, a, b); }
};
/// No apply: the result's dtype differs, so code generation and the interpreter convert themselves.
struct Convert {
  static constexpr RowFacts facts{
      .domain = Domain::Any,
      .max_ulp = 0.5,
      .doc =
          "a as `dtype`. To a narrower float: nearest, halves to even. Float to integer: towards "
          "0, out of range gives the nearest bound, NaN gives 0. Integer to integer: the low "
          "bits. To bool: a != 0 (so NaN is true)."};
};

/// The number of operands of a row.
template <typename Row>
constexpr int arity() {
  if constexpr (std::is_same_v<Row, Convert>)
    return 1;
  else if constexpr (requires(float x) { Row::apply(x); })
    return 1;
  else if constexpr (requires(float x) { Row::apply(x, x); })
    return 2;
  else
    return 3;
}

/// The row on a list of operands.
template <typename Row, typename S>
S apply_row(std::span<const S> operands) {
  if constexpr (arity<Row>() == 1)
    return Row::apply(operands[0]);
  else if constexpr (arity<Row>() == 2)
    return Row::apply(operands[0], operands[1]);
  else
    return Row::apply(operands[0], operands[1], operands[2]);
}

}  // namespace gradc::scalar

namespace gradc {

/// The meaning of an elementwise op (not Convert) in the algebra S.
template <class S>
S apply_scalar(OpKind kind, std::span<const S> operands) {
  switch (kind) {
#define OP(Kind, text, op_class)                                                                \
  case OpKind::Kind:                                                                            \
    if constexpr (OpClass::op_class == OpClass::Elementwise && OpKind::Kind != OpKind::Convert) \
      return scalar::apply_row<scalar::Kind, S>(operands);                                      \
    break;
#include "ir/ops.def"
  }
  CHECK(false, "op {} has no scalar meaning", static_cast<int>(kind));
}

}  // namespace gradc
