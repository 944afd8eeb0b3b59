// Elementwise functions: on numbers at compile time, on tensors as nodes.
#include <cmath>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

// A float function: integers become f32.
template <OpKind kKind, double (*kFunction)(double)>
Value float_function(BuiltinCall& call) {
  if (const NumberValue* number = call.number(0)) {
    const double result = kFunction(number->real);
    if (std::isnan(result) && !std::isnan(number->real))
      call.elaborator().fail("E0312", call.span(),
                             fmt::format("`{}` has no value at {}", call.name(), to_text(*number)));
    return NumberValue::of(result).marked(number->of_rows);
  }
  if (!call.value(0).as<TensorId>()) call.wrong_kind(0, "a tensor or a number");
  return call.ops().float_unary(kKind, *call.value(0).as<TensorId>());
}

double compute_exp(double x) { return std::exp(x); }
double compute_expm1(double x) { return std::expm1(x); }
double compute_log(double x) { return std::log(x); }
double compute_log1p(double x) { return std::log1p(x); }
double compute_sqrt(double x) { return std::sqrt(x); }
double compute_sin(double x) { return std::sin(x); }
double compute_cos(double x) { return std::cos(x); }
double compute_tanh(double x) { return std::tanh(x); }
double compute_erf(double x) { return std::erf(x); }
double compute_erfc(double x) { return std::erfc(x); }
double compute_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double compute_abs(double x) { return std::abs(x); }
double compute_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double compute_floor(double x) { return std::floor(x); }
double compute_ceil(double x) { return std::ceil(x); }
double compute_round(double x) { return std::nearbyint(x); }

// abs and sign keep integers integers.
template <OpKind kKind, double (*kFunction)(double)>
Value signed_function(BuiltinCall& call) {
  if (const NumberValue* number = call.number(0)) {
    const NumberValue result = number->is_float
                                   ? NumberValue::of(kFunction(number->real))
                                   : NumberValue::of(static_cast<int64_t>(kFunction(number->real)));
    return result.marked(number->of_rows);
  }
  return call.ops().arithmetic_unary(kKind, call.tensor(0));
}

// floor, ceil and round leave integers alone; a number becomes an int.
template <OpKind kKind, double (*kFunction)(double)>
Value rounding_function(BuiltinCall& call) {
  if (const NumberValue* number = call.number(0)) {
    if (!number->is_float) return *number;
    const double rounded = kFunction(number->real);
    if (!(std::abs(rounded) < 9e15))
      call.elaborator().fail("E0312", call.span(),
                             fmt::format("{} is too large for an integer", to_text(*number)));
    return NumberValue::of(static_cast<int64_t>(rounded)).marked(number->of_rows);
  }
  const TensorId x = call.tensor(0);
  return is_float(call.type(x).dtype) ? call.ops().unary(kKind, x) : x;
}

Value extreme(BuiltinCall& call, OpKind kind, const Value& left, const Value& right) {
  const NumberValue* a = left.as<NumberValue>();
  const NumberValue* b = right.as<NumberValue>();
  if (!a || !b) return call.ops().binary(kind, left, right);
  const bool takes_left = kind == OpKind::Maximum ? a->real > b->real : a->real < b->real;
  return (takes_left ? *a : *b).marked(a->of_rows || b->of_rows);
}

template <OpKind kKind>
Value extreme_function(BuiltinCall& call) {
  return extreme(call, kKind, call.operand(0), call.operand(1));
}

Value clip(BuiltinCall& call) {
  const Value raised = extreme(call, OpKind::Maximum, call.operand(0), call.operand(1));
  return extreme(call, OpKind::Minimum, raised, call.operand(2));
}

Value select(BuiltinCall& call) {
  if (const bool* condition = call.value(0).as<bool>()) {
    const Value& taken = call.operand(*condition ? 1 : 2);
    const Value& other = call.operand(*condition ? 2 : 1);
    if (taken.as<NumberValue>() && other.as<NumberValue>()) return taken;
    const TensorId shaped = call.ops().binary(OpKind::Equal, call.operand(1), call.operand(2));
    return call.ops().select(
        call.ops().fill({DType::Bool, call.type(shaped).shape}, *condition ? 1 : 0),
        call.operand(1), call.operand(2));
  }
  if (!call.value(0).as<TensorId>()) call.wrong_kind(0, "a bool tensor");
  return call.ops().select(*call.value(0).as<TensorId>(), call.operand(1), call.operand(2));
}

Value convert(BuiltinCall& call) {
  const DType dtype = call.dtype(1, DType::F32);
  if (const NumberValue* number = call.number(0)) return call.ops().number(*number, dtype);
  return call.ops().convert(call.tensor(0), dtype);
}

Value stop_gradient(BuiltinCall& call) {
  if (const NumberValue* number = call.number(0)) return *number;
  return call.elaborator().draft().add(OpKind::StopGradient, {call.tensor(0)});
}

constexpr Builtin kTable[] = {
    {"abs", signed_function<OpKind::Abs, compute_abs>},
    {"ceil", rounding_function<OpKind::Ceil, compute_ceil>},
    {"clip", clip},
    {"convert", convert},
    {"cos", float_function<OpKind::Cos, compute_cos>},
    {"erf", float_function<OpKind::Erf, compute_erf>},
    {"erfc", float_function<OpKind::Erfc, compute_erfc>},
    {"exp", float_function<OpKind::Exp, compute_exp>},
    {"expm1", float_function<OpKind::Expm1, compute_expm1>},
    {"floor", rounding_function<OpKind::Floor, compute_floor>},
    {"log", float_function<OpKind::Log, compute_log>},
    {"log1p", float_function<OpKind::Log1p, compute_log1p>},
    {"maximum", extreme_function<OpKind::Maximum>},
    {"minimum", extreme_function<OpKind::Minimum>},
    {"round", rounding_function<OpKind::Round, compute_round>},
    {"select", select},
    {"sigmoid", float_function<OpKind::Sigmoid, compute_sigmoid>},
    {"sign", signed_function<OpKind::Sign, compute_sign>},
    {"sin", float_function<OpKind::Sin, compute_sin>},
    {"sqrt", float_function<OpKind::Sqrt, compute_sqrt>},
    {"stop_gradient", stop_gradient},
    {"tanh", float_function<OpKind::Tanh, compute_tanh>},
};

}  // namespace

std::span<const Builtin> elementwise_builtins() { return kTable; }

}  // namespace gradc
