// Functions that make tensors: filled ones, literal ones, random draws.
#include <numbers>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

Value filled(BuiltinCall& call, int64_t number) {
  return call.ops().fill({call.dtype(1, DType::F32), call.shape(0)}, number);
}

Value zeros(BuiltinCall& call) { return filled(call, 0); }
Value ones(BuiltinCall& call) { return filled(call, 1); }
Value zeros_like(BuiltinCall& call) { return call.ops().fill(Type(call.type(call.tensor(0))), 0); }
Value ones_like(BuiltinCall& call) { return call.ops().fill(Type(call.type(call.tensor(0))), 1); }

Value full(BuiltinCall& call) {
  const DType dtype = call.dtype(2, DType::F32);
  if (const NumberValue* number = call.number(1))
    return call.ops().fill({dtype, call.shape(0)}, *number);
  return call.ops().broadcast(call.ops().convert(call.tensor(1), dtype), call.shape(0));
}

// Sizes and numbers of a list of lists.
struct Literal {
  std::vector<int64_t> dims;
  std::vector<double> values;
  std::vector<int64_t> integers;
  bool is_float = false;
};

void read_literal(BuiltinCall& call, const Value& value, size_t depth, Literal& literal) {
  if (const std::vector<Value>* list = value.elements()) {
    const auto size = static_cast<int64_t>(list->size());
    call.elaborator().count_elements(size, call.span());
    if (literal.dims.size() == depth && literal.values.empty()) literal.dims.push_back(size);
    if (depth >= literal.dims.size() || literal.dims[depth] != size)
      call.elaborator().fail("E0402", call.where(0),
                             "the lists of a tensor have different lengths");
    for (const Value& element : *list) read_literal(call, element, depth + 1, literal);
    return;
  }
  const NumberValue* number = value.as<NumberValue>();
  if (!number) call.wrong_kind(0, "a list of numbers, or of lists");
  if (depth != literal.dims.size())
    call.elaborator().fail("E0402", call.where(0), "numbers and lists are mixed in a tensor");
  literal.is_float |= number->is_float;
  literal.values.push_back(number->real);
  literal.integers.push_back(number->integer);
}

Value tensor(BuiltinCall& call) {
  Literal literal;
  read_literal(call, call.value(0), 0, literal);
  const DType dtype = call.dtype(1, literal.is_float ? DType::F32 : DType::I32);
  if (literal.is_float && !is_float(dtype))
    call.elaborator().fail("E0504", call.where(0),
                           fmt::format("a float does not fit into {}", dtype));
  Tensor values(dtype, Shape(literal.dims));
  for (size_t i = 0; i < literal.values.size(); ++i) {
    if (dtype == DType::I64)
      values.span<int64_t>()[i] = literal.integers[i];
    else
      values.set(static_cast<int64_t>(i), literal.values[i]);
    const bool has_lost = !is_float(dtype) && dtype != DType::I64 &&
                          values.at(static_cast<int64_t>(i)) != literal.values[i];
    if (has_lost)
      call.elaborator().fail("E0504", call.where(0),
                             fmt::format("{} does not fit into {}", literal.integers[i], dtype));
  }
  return call.ops().constant(std::move(values));
}

Value iota(BuiltinCall& call) {
  const int64_t count = call.integer(0, 0);
  if (count < 0) call.wrong_kind(0, "a count of at least 0");
  return call.ops().iota(Shape{count}, 0, call.dtype(1, DType::I32));
}

// Halves are drawn as f32.
TensorId draw(BuiltinCall& call, const Shape& shape, DType dtype) {
  const bool at_step = !call.elaborator().is_initializing();
  return call.ops().random_unit(shape, dtype, call.elaborator().next_stream(), at_step);
}

DType drawn_dtype(BuiltinCall& call) {
  const DType dtype = call.dtype(3, DType::F32);
  if (!is_float(dtype)) call.wrong_kind(3, "a float dtype");
  return dtype == DType::F64 ? DType::F64 : DType::F32;
}

// low + (high - low) * u.
Value random_uniform(BuiltinCall& call) {
  const Shape shape = call.shape(0);
  const DType drawn = drawn_dtype(call);
  Value value = draw(call, shape, drawn);
  const double low = call.real(1, 0);
  const double high = call.real(2, 1);
  if (high - low != 1) value = call.ops().binary(OpKind::Mul, value, high - low);
  if (low != 0) value = call.ops().binary(OpKind::Add, value, low);
  return call.ops().convert(*value.as<TensorId>(), call.dtype(3, DType::F32));
}

// Box-Muller: mean + deviation * sqrt(-2 log(1 - u1)) * cos(2 pi u2), the u drawn from two streams.
Value random_normal(BuiltinCall& call) {
  TensorOps& ops = call.ops();
  const Shape shape = call.shape(0);
  const DType drawn = drawn_dtype(call);
  const TensorId u1 = draw(call, shape, drawn);
  const TensorId u2 = draw(call, shape, drawn);
  const TensorId logarithm = ops.unary(OpKind::Log, ops.binary(OpKind::Sub, 1.0, u1));
  const TensorId radius = ops.unary(OpKind::Sqrt, ops.binary(OpKind::Mul, -2.0, logarithm));
  const TensorId angle = ops.binary(OpKind::Mul, 2 * std::numbers::pi, u2);
  Value value = ops.binary(OpKind::Mul, radius, ops.unary(OpKind::Cos, angle));
  const double mean = call.real(1, 0);
  const double deviation = call.real(2, 1);
  if (deviation != 1) value = ops.binary(OpKind::Mul, deviation, value);
  if (mean != 0) value = ops.binary(OpKind::Add, mean, value);
  return ops.convert(*value.as<TensorId>(), call.dtype(3, DType::F32));
}

constexpr Builtin kTable[] = {
    {"full", full},
    {"iota", iota},
    {"ones", ones},
    {"ones_like", ones_like},
    {"random_normal", random_normal},
    {"random_uniform", random_uniform},
    {"tensor", tensor},
    {"zeros", zeros},
    {"zeros_like", zeros_like},
};

}  // namespace

std::span<const Builtin> creation_builtins() { return kTable; }

}  // namespace gradc
