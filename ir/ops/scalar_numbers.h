// The scalar algebra of plain numbers: float, double, and integers that wrap around.
// Truth values are numbers of the same type: 1 or 0; everything but 0 is true.
#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/core/error.h"

namespace gradc::scalar {

/// An integer whose arithmetic wraps around; overflow is never undefined.
template <typename T>
struct Wrapping {
  T value = 0;
};

/// Float functions are computed in double and rounded once: the reference for f32 is exact to half
/// a unit in the last place, or very nearly.
template <std::floating_point T>
T rounded(double exact) {
  return static_cast<T>(exact);
}

template <std::floating_point T>
T like(T, double value) {
  return static_cast<T>(value);
}
template <std::floating_point T>
T select(T condition, T a, T b) {
  return condition != 0 ? a : b;
}
template <std::floating_point T>
T equal(T a, T b) {
  return T(a == b);
}
template <std::floating_point T>
T not_equal(T a, T b) {
  return T(a != b);
}
template <std::floating_point T>
T less(T a, T b) {
  return T(a < b);
}
template <std::floating_point T>
T less_equal(T a, T b) {
  return T(a <= b);
}
template <std::floating_point T>
T greater(T a, T b) {
  return T(a > b);
}
template <std::floating_point T>
T greater_equal(T a, T b) {
  return T(a >= b);
}
template <std::floating_point T>
T logical_and(T a, T b) {
  return T(a != 0 && b != 0);
}
template <std::floating_point T>
T logical_or(T a, T b) {
  return T(a != 0 || b != 0);
}
template <std::floating_point T>
T logical_not(T a) {
  return T(a == 0);
}
template <std::floating_point T>
T maximum(T a, T b) {
  return std::isnan(a) || a > b ? a : b;
}
template <std::floating_point T>
T minimum(T a, T b) {
  return std::isnan(a) || a < b ? a : b;
}
template <std::floating_point T>
T abs(T x) {
  return std::fabs(x);
}
template <std::floating_point T>
T floor(T x) {
  return std::floor(x);
}
template <std::floating_point T>
T ceil(T x) {
  return std::ceil(x);
}
template <std::floating_point T>
T round(T x) {
  return std::nearbyint(x);
}
template <std::floating_point T>
T sqrt(T x) {
  return std::sqrt(x);
}
template <std::floating_point T>
T exp(T x) {
  return rounded<T>(std::exp(double{x}));
}
template <std::floating_point T>
T expm1(T x) {
  return rounded<T>(std::expm1(double{x}));
}
template <std::floating_point T>
T log(T x) {
  return rounded<T>(std::log(double{x}));
}
template <std::floating_point T>
T log1p(T x) {
  return rounded<T>(std::log1p(double{x}));
}
template <std::floating_point T>
T sin(T x) {
  return rounded<T>(std::sin(double{x}));
}
template <std::floating_point T>
T cos(T x) {
  return rounded<T>(std::cos(double{x}));
}
template <std::floating_point T>
T tanh(T x) {
  return rounded<T>(std::tanh(double{x}));
}
template <std::floating_point T>
T erf(T x) {
  return rounded<T>(std::erf(double{x}));
}
template <std::floating_point T>
T erfc(T x) {
  return rounded<T>(std::erfc(double{x}));
}
template <std::floating_point T>
T pow(T x, T y) {
  return rounded<T>(std::pow(double{x}, double{y}));
}
/// 1 / (1 + exp(-x)), by exp of a negative number only, so nothing overflows.
template <std::floating_point T>
T sigmoid(T x) {
  const double e = std::exp(-std::fabs(double{x}));
  return rounded<T>(x >= 0 ? 1 / (1 + e) : e / (1 + e));
}
template <std::floating_point T>
T floor_div(T a, T b) {
  return std::floor(a / b);
}
template <std::floating_point T>
T floor_mod(T a, T b) {
  return a - std::floor(a / b) * b;
}

/// Arithmetic in 64 unsigned bits, cut to T.
template <typename T>
Wrapping<T> wrapped(uint64_t value) {
  return {static_cast<T>(value)};
}
template <typename T>
uint64_t bits(Wrapping<T> x) {
  return static_cast<uint64_t>(x.value);
}
template <typename T>
Wrapping<T> operator+(Wrapping<T> a, Wrapping<T> b) {
  return wrapped<T>(bits(a) + bits(b));
}
template <typename T>
Wrapping<T> operator-(Wrapping<T> a, Wrapping<T> b) {
  return wrapped<T>(bits(a) - bits(b));
}
template <typename T>
Wrapping<T> operator*(Wrapping<T> a, Wrapping<T> b) {
  return wrapped<T>(bits(a) * bits(b));
}
template <typename T>
Wrapping<T> operator-(Wrapping<T> a) {
  return wrapped<T>(0 - bits(a));
}
template <typename T>
Wrapping<T> like(Wrapping<T>, double value) {
  return wrapped<T>(static_cast<uint64_t>(static_cast<int64_t>(value)));
}
template <typename T>
Wrapping<T> truth(bool value) {
  return {static_cast<T>(value ? 1 : 0)};
}
template <typename T>
Wrapping<T> select(Wrapping<T> condition, Wrapping<T> a, Wrapping<T> b) {
  return condition.value != 0 ? a : b;
}
template <typename T>
Wrapping<T> equal(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value == b.value);
}
template <typename T>
Wrapping<T> not_equal(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value != b.value);
}
template <typename T>
Wrapping<T> less(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value < b.value);
}
template <typename T>
Wrapping<T> less_equal(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value <= b.value);
}
template <typename T>
Wrapping<T> greater(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value > b.value);
}
template <typename T>
Wrapping<T> greater_equal(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value >= b.value);
}
template <typename T>
Wrapping<T> logical_and(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value != 0 && b.value != 0);
}
template <typename T>
Wrapping<T> logical_or(Wrapping<T> a, Wrapping<T> b) {
  return truth<T>(a.value != 0 || b.value != 0);
}
template <typename T>
Wrapping<T> logical_not(Wrapping<T> a) {
  return truth<T>(a.value == 0);
}
template <typename T>
Wrapping<T> maximum(Wrapping<T> a, Wrapping<T> b) {
  return a.value > b.value ? a : b;
}
template <typename T>
Wrapping<T> minimum(Wrapping<T> a, Wrapping<T> b) {
  return a.value < b.value ? a : b;
}
/// The lowest integer stays what it is, as in two's complement.
template <typename T>
Wrapping<T> abs(Wrapping<T> x) {
  return x.value < 0 ? -x : x;
}
template <typename T>
Wrapping<T> floor(Wrapping<T> x) {
  return x;
}
template <typename T>
Wrapping<T> ceil(Wrapping<T> x) {
  return x;
}
template <typename T>
Wrapping<T> round(Wrapping<T> x) {
  return x;
}
/// floor(a / b); 0 where b is 0; the lowest integer by -1 wraps to itself.
template <typename T>
Wrapping<T> floor_div(Wrapping<T> a, Wrapping<T> b) {
  if (b.value == 0) return {0};
  if constexpr (std::is_signed_v<T>)
    if (b.value == -1) return -a;
  const T quotient = static_cast<T>(a.value / b.value);
  const T remainder = static_cast<T>(a.value % b.value);
  return {
      static_cast<T>(remainder != 0 && (remainder < 0) != (b.value < 0) ? quotient - 1 : quotient)};
}
/// a - floor_div(a, b) * b, which has the sign of b; 0 where b is 0.
template <typename T>
Wrapping<T> floor_mod(Wrapping<T> a, Wrapping<T> b) {
  if (b.value == 0) return {0};
  return a - floor_div(a, b) * b;
}

/// Shape rules keep the float functions from integers.
template <typename T>
[[noreturn]] Wrapping<T> floats_only() {
  CHECK(false, "a float function of integers");
}
template <typename T>
Wrapping<T> operator/(Wrapping<T>, Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> sqrt(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> exp(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> expm1(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> log(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> log1p(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> sin(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> cos(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> tanh(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> erf(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> erfc(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> sigmoid(Wrapping<T>) {
  return floats_only<T>();
}
template <typename T>
Wrapping<T> pow(Wrapping<T>, Wrapping<T>) {
  return floats_only<T>();
}

}  // namespace gradc::scalar
