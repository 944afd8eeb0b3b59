// Two more scalar algebras: graph nodes (GraphScalar) and dual numbers of any algebra (Dual).
// The derivative of an elementwise op is its row on Dual<GraphScalar>.
#pragma once
#include <optional>

#include "ir/builder.h"

namespace gradc::scalar {

/// The node whose derivative is built: the same op on the same operands is its result, not a copy.
struct KnownNode {
  OpKind kind;
  std::span<const ValueId> operands;
  ValueId result;
};

/// A value of a graph under construction; every function appends a node. The builder and the known
/// node outlive it.
struct GraphScalar {
  GraphBuilder* builder;
  const KnownNode* known;
  ValueId value;
};

inline GraphScalar append(OpKind kind, const GraphScalar& like_this,
                          std::initializer_list<ValueId> operands) {
  const KnownNode& known = *like_this.known;
  if (known.kind == kind &&
      std::equal(known.operands.begin(), known.operands.end(), operands.begin(), operands.end()))
    return {like_this.builder, &known, known.result};
  return {like_this.builder, &known, like_this.builder->add(kind, operands)};
}
inline GraphScalar append(OpKind kind, const GraphScalar& a) { return append(kind, a, {a.value}); }
inline GraphScalar append(OpKind kind, const GraphScalar& a, const GraphScalar& b) {
  return append(kind, a, {a.value, b.value});
}

using G = GraphScalar;
inline G operator+(G a, G b) { return append(OpKind::Add, a, b); }
inline G operator-(G a, G b) { return append(OpKind::Sub, a, b); }
inline G operator*(G a, G b) { return append(OpKind::Mul, a, b); }
inline G operator/(G a, G b) { return append(OpKind::Div, a, b); }
inline G operator-(G a) { return append(OpKind::Neg, a); }
inline G equal(G a, G b) { return append(OpKind::Equal, a, b); }
inline G not_equal(G a, G b) { return append(OpKind::NotEqual, a, b); }
inline G less(G a, G b) { return append(OpKind::Less, a, b); }
inline G less_equal(G a, G b) { return append(OpKind::LessEqual, a, b); }
inline G greater(G a, G b) { return append(OpKind::Greater, a, b); }
inline G greater_equal(G a, G b) { return append(OpKind::GreaterEqual, a, b); }
inline G logical_and(G a, G b) { return append(OpKind::And, a, b); }
inline G logical_or(G a, G b) { return append(OpKind::Or, a, b); }
inline G logical_not(G a) { return append(OpKind::Not, a); }
inline G maximum(G a, G b) { return append(OpKind::Maximum, a, b); }
inline G minimum(G a, G b) { return append(OpKind::Minimum, a, b); }
inline G floor_div(G a, G b) { return append(OpKind::FloorDiv, a, b); }
inline G floor_mod(G a, G b) { return append(OpKind::Mod, a, b); }
inline G pow(G a, G b) { return append(OpKind::Pow, a, b); }
inline G abs(G a) { return append(OpKind::Abs, a); }
inline G floor(G a) { return append(OpKind::Floor, a); }
inline G ceil(G a) { return append(OpKind::Ceil, a); }
inline G round(G a) { return append(OpKind::Round, a); }
inline G sqrt(G a) { return append(OpKind::Sqrt, a); }
inline G exp(G a) { return append(OpKind::Exp, a); }
inline G expm1(G a) { return append(OpKind::Expm1, a); }
inline G log(G a) { return append(OpKind::Log, a); }
inline G log1p(G a) { return append(OpKind::Log1p, a); }
inline G sin(G a) { return append(OpKind::Sin, a); }
inline G cos(G a) { return append(OpKind::Cos, a); }
inline G tanh(G a) { return append(OpKind::Tanh, a); }
inline G erf(G a) { return append(OpKind::Erf, a); }
inline G erfc(G a) { return append(OpKind::Erfc, a); }
inline G sigmoid(G a) { return append(OpKind::Sigmoid, a); }
inline G select(G condition, G a, G b) {
  return append(OpKind::Select, a, {condition.value, a.value, b.value});
}
inline G like(G a, double value) {
  return {a.builder, a.known, a.builder->fill_like(a.value, value)};
}

/// value + epsilon * tangent, with epsilon^2 = 0. An absent tangent is exactly zero: it makes no
/// nodes and cannot turn an infinity into a NaN.
template <typename S>
struct Dual {
  S value;
  std::optional<S> tangent;
};

template <typename S>
Dual<S> operator+(Dual<S> a, Dual<S> b) {
  const S value = a.value + b.value;
  if (a.tangent && b.tangent) return {value, *a.tangent + *b.tangent};
  return {value, a.tangent ? a.tangent : b.tangent};
}
template <typename S>
Dual<S> operator-(Dual<S> a) {
  const S value = -a.value;
  if (!a.tangent) return {value, std::nullopt};
  return {value, -*a.tangent};
}
template <typename S>
Dual<S> operator-(Dual<S> a, Dual<S> b) {
  const S value = a.value - b.value;
  if (a.tangent && b.tangent) return {value, *a.tangent - *b.tangent};
  if (b.tangent) return {value, -*b.tangent};
  return {value, a.tangent};
}
/// The result of a function of two operands from its partial derivatives times tangents, which are
/// only built where they are needed.
template <typename S, typename ByFirst, typename BySecond>
Dual<S> combine(S value, const Dual<S>& a, const Dual<S>& b, ByFirst by_first, BySecond by_second) {
  std::optional<S> tangent;
  if (a.tangent) tangent = by_first(*a.tangent);
  if (b.tangent) {
    const S second = by_second(*b.tangent);
    tangent = tangent ? *tangent + second : second;
  }
  return {value, tangent};
}
/// The same for one operand.
template <typename S, typename Derivative>
Dual<S> chain(S value, const Dual<S>& a, Derivative derivative) {
  if (!a.tangent) return {value, std::nullopt};
  return {value, derivative(*a.tangent)};
}
template <typename S>
Dual<S> operator*(Dual<S> a, Dual<S> b) {
  return combine(
      a.value * b.value, a, b, [&](S t) { return t * b.value; }, [&](S t) { return a.value * t; });
}
/// (a / b)' = a' / b - (a / b) b' / b.
template <typename S>
Dual<S> operator/(Dual<S> a, Dual<S> b) {
  const S value = a.value / b.value;
  return combine(
      value, a, b, [&](S t) { return t / b.value; }, [&](S t) { return -(t * value / b.value); });
}
template <typename S>
Dual<S> like(Dual<S> a, double value) {
  return {like(a.value, value), std::nullopt};
}
template <typename S>
Dual<S> select(Dual<S> condition, Dual<S> a, Dual<S> b) {
  const S value = select(condition.value, a.value, b.value);
  if (!a.tangent && !b.tangent) return {value, std::nullopt};
  const S zero = like(a.value, 0);
  return {value, select(condition.value, a.tangent.value_or(zero), b.tangent.value_or(zero))};
}
/// Passes the gradient to `a` where the result is strictly on its side, else to `b`.
template <typename S>
Dual<S> choose(S value, S takes_first, const Dual<S>& a, const Dual<S>& b) {
  return combine(
      value, a, b, [&](S t) { return select(takes_first, t, like(t, 0)); },
      [&](S t) { return select(takes_first, like(t, 0), t); });
}
template <typename S>
Dual<S> maximum(Dual<S> a, Dual<S> b) {
  const S value = maximum(a.value, b.value);
  return choose(value, greater(value, b.value), a, b);
}
template <typename S>
Dual<S> minimum(Dual<S> a, Dual<S> b) {
  const S value = minimum(a.value, b.value);
  return choose(value, less(value, b.value), a, b);
}
template <typename S>
Dual<S> floor_mod(Dual<S> a, Dual<S> b) {
  return combine(
      floor_mod(a.value, b.value), a, b, [&](S t) { return t; },
      [&](S t) { return -(t * floor(a.value / b.value)); });
}
template <typename S>
Dual<S> pow(Dual<S> a, Dual<S> b) {
  const S value = pow(a.value, b.value);
  const auto by_base = [&](S t) {
    const S zero = like(t, 0);
    const S slope = b.value * pow(a.value, b.value - like(t, 1));
    return t * select(equal(b.value, zero), zero, slope);
  };
  const auto by_exponent = [&](S t) {
    const S zero = like(t, 0);
    return t * select(equal(a.value, zero), zero, value * log(a.value));
  };
  return combine(value, a, b, by_base, by_exponent);
}
template <typename S>
Dual<S> abs(Dual<S> a) {
  return chain(abs(a.value), a, [&](S t) {
    const S zero = like(t, 0);
    return select(greater(a.value, zero), t, select(less(a.value, zero), -t, zero));
  });
}
template <typename S>
Dual<S> exp(Dual<S> a) {
  const S value = exp(a.value);
  return chain(value, a, [&](S t) { return t * value; });
}
template <typename S>
Dual<S> expm1(Dual<S> a) {
  return chain(expm1(a.value), a, [&](S t) { return t * exp(a.value); });
}
template <typename S>
Dual<S> log(Dual<S> a) {
  return chain(log(a.value), a, [&](S t) { return t / a.value; });
}
template <typename S>
Dual<S> log1p(Dual<S> a) {
  return chain(log1p(a.value), a, [&](S t) { return t / (like(t, 1) + a.value); });
}
template <typename S>
Dual<S> sqrt(Dual<S> a) {
  const S value = sqrt(a.value);
  return chain(value, a, [&](S t) { return t * like(t, 0.5) / value; });
}
template <typename S>
Dual<S> sin(Dual<S> a) {
  return chain(sin(a.value), a, [&](S t) { return t * cos(a.value); });
}
template <typename S>
Dual<S> cos(Dual<S> a) {
  return chain(cos(a.value), a, [&](S t) { return -(t * sin(a.value)); });
}
template <typename S>
Dual<S> tanh(Dual<S> a) {
  const S value = tanh(a.value);
  return chain(value, a, [&](S t) { return t * (like(t, 1) - value * value); });
}
inline constexpr double kTwoOverRootPi = 1.1283791670955126;
template <typename S>
Dual<S> erf(Dual<S> a) {
  return chain(erf(a.value), a,
               [&](S t) { return t * (like(t, kTwoOverRootPi) * exp(-(a.value * a.value))); });
}
template <typename S>
Dual<S> erfc(Dual<S> a) {
  return chain(erfc(a.value), a,
               [&](S t) { return t * (like(t, -kTwoOverRootPi) * exp(-(a.value * a.value))); });
}
template <typename S>
Dual<S> sigmoid(Dual<S> a) {
  const S value = sigmoid(a.value);
  return chain(value, a, [&](S t) { return t * (value * (like(t, 1) - value)); });
}

}  // namespace gradc::scalar
