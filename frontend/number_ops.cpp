// Integers are checked for overflow; `//` and `%` round down.
#include "frontend/number_ops.h"

#include <cmath>

namespace gradc {

namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ExitCode::ModelOrData, "E0312", message);
}

int64_t checked(bool has_overflowed, int64_t value) {
  if (has_overflowed) fail("the result does not fit into 64 bits");
  return value;
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) fail("division by zero");
  if (b == -1) {
    int64_t negated = 0;
    const bool has_overflowed = __builtin_sub_overflow(int64_t{0}, a, &negated);
    return checked(has_overflowed, negated);
  }
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}

int64_t integer_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  bool has_overflowed = false;
  while (exponent > 0 && !has_overflowed) {
    if (exponent & 1) has_overflowed |= __builtin_mul_overflow(result, base, &result);
    exponent >>= 1;
    if (exponent > 0) has_overflowed |= __builtin_mul_overflow(base, base, &base);
  }
  return checked(has_overflowed, result);
}

NumberValue apply_integers(ast::BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool has_overflowed = false;
  switch (op) {
    case ast::BinaryOp::Add:
      has_overflowed = __builtin_add_overflow(a, b, &result);
      return NumberValue::of(checked(has_overflowed, result));
    case ast::BinaryOp::Subtract:
      has_overflowed = __builtin_sub_overflow(a, b, &result);
      return NumberValue::of(checked(has_overflowed, result));
    case ast::BinaryOp::Multiply:
      has_overflowed = __builtin_mul_overflow(a, b, &result);
      return NumberValue::of(checked(has_overflowed, result));
    case ast::BinaryOp::FloorDivide:
      return NumberValue::of(floor_divide(a, b));
    case ast::BinaryOp::Remainder:
      if (b == -1) return NumberValue::of(int64_t{0});
      return NumberValue::of(a - floor_divide(a, b) * b);
    case ast::BinaryOp::Power:
      return NumberValue::of(integer_power(a, b));
    default:
      CHECK(false, "no integer operator {}", ast::symbol(op));
  }
}

double apply_floats(ast::BinaryOp op, double a, double b) {
  switch (op) {
    case ast::BinaryOp::Add:
      return a + b;
    case ast::BinaryOp::Subtract:
      return a - b;
    case ast::BinaryOp::Multiply:
      return a * b;
    case ast::BinaryOp::Divide:
      if (b == 0) fail("division by zero");
      return a / b;
    case ast::BinaryOp::FloorDivide:
      if (b == 0) fail("division by zero");
      return std::floor(a / b);
    case ast::BinaryOp::Remainder:
      if (b == 0) fail("division by zero");
      return a - std::floor(a / b) * b;
    case ast::BinaryOp::Power:
      return std::pow(a, b);
    default:
      CHECK(false, "no operator {} of numbers", ast::symbol(op));
  }
}

}  // namespace

namespace {

constexpr int64_t kMaxComparisons = 1'000'000;

bool equal_within(const Value& left, const Value& right, int64_t& budget);

}  // namespace

NumberValue apply_numbers(ast::BinaryOp op, const NumberValue& left, const NumberValue& right) {
  const bool of_rows = left.of_rows || right.of_rows;
  const bool is_negative_power = op == ast::BinaryOp::Power && right.real < 0;
  if (!left.is_float && !right.is_float && op != ast::BinaryOp::Divide && !is_negative_power)
    return apply_integers(op, left.integer, right.integer).marked(of_rows);
  const double result = apply_floats(op, left.real, right.real);
  if (!std::isfinite(result) && std::isfinite(left.real) && std::isfinite(right.real))
    fail(fmt::format("{} {} {} is not a finite number", to_text(left), ast::symbol(op),
                     to_text(right)));
  return NumberValue::of(result).marked(of_rows);
}

bool compare_numbers(ast::BinaryOp op, const NumberValue& left, const NumberValue& right) {
  const bool is_exact = !left.is_float && !right.is_float;
  const bool is_less = is_exact ? left.integer < right.integer : left.real < right.real;
  const bool is_equal = is_exact ? left.integer == right.integer : left.real == right.real;
  switch (op) {
    case ast::BinaryOp::Equal:
      return is_equal;
    case ast::BinaryOp::NotEqual:
      return !is_equal;
    case ast::BinaryOp::Less:
      return is_less;
    case ast::BinaryOp::LessEqual:
      return is_less || is_equal;
    case ast::BinaryOp::Greater:
      return !is_less && !is_equal;
    case ast::BinaryOp::GreaterEqual:
      return !is_less;
    default:
      CHECK(false, "no comparison {}", ast::symbol(op));
  }
}

bool equal_values(const Value& left, const Value& right) {
  int64_t budget = kMaxComparisons;
  return equal_within(left, right, budget);
}

namespace {

bool equal_within(const Value& left, const Value& right, int64_t& budget) {
  // Lists may hold one list many times over.
  if (--budget < 0)
    throw Error(ExitCode::ModelOrData, "E0801", "the lists are too large to compare");
  if (left.as<TensorId>() || right.as<TensorId>())
    throw Error(ExitCode::ModelOrData, "E0313",
                "lists are compared at compile time, when the elements of a tensor are not known");
  const NumberValue* a = left.as<NumberValue>();
  const NumberValue* b = right.as<NumberValue>();
  if (a && b) return compare_numbers(ast::BinaryOp::Equal, *a, *b);
  if (left.node().index() != right.node().index()) return false;
  if (left.is_none()) return true;
  if (const bool* value = left.as<bool>()) return *value == *right.as<bool>();
  if (const std::string* text = left.as<std::string>()) return *text == *right.as<std::string>();
  if (const DType* dtype = left.as<DType>()) return *dtype == *right.as<DType>();
  if (const std::vector<Value>* list = left.elements()) {
    const std::vector<Value>& other = *right.elements();
    if (list == &other) return true;
    if (list->size() != other.size()) return false;
    for (size_t i = 0; i < list->size(); ++i)
      if (!equal_within((*list)[i], other[i], budget)) return false;
    return true;
  }
  if (const FunctionValue* function = left.function()) {
    const FunctionValue* other = right.function();
    return function == other ||
           (function->callable && !function->capture && !other->capture &&
            function->callable == other->callable) ||
           (function->builtin && function->builtin == other->builtin);
  }
  return false;
}

}  // namespace

}  // namespace gradc
