// The elementwise ops: an op struct from each row of the scalar table.
#pragma once
#include "ir/ops/op_facts.h"
#include "ir/ops/scalar.h"
#include "ir/ops/scalar_graph.h"

namespace gradc::ops {

/// Result type of an elementwise op: all operands have one dtype and shape (of a select: all but
/// the first, which is bool of that shape).
std::vector<Type> infer_elementwise(OpKind kind, const scalar::RowFacts& facts,
                                    const InferContext& context);

/// Numbers of storage type T in a scalar algebra: 16-bit floats in float, integers wrapping.
template <typename T>
auto load_scalar(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return value;
  else if constexpr (std::is_integral_v<T>)
    return scalar::Wrapping<T>{value};
  else
    return static_cast<float>(value);
}
template <typename T, typename S>
T store_scalar(S value) {
  if constexpr (std::is_integral_v<T>)
    return value.value;
  else
    return T(value);
}
template <typename S>
bool is_true(S value) {
  if constexpr (std::is_floating_point_v<S>)
    return value != 0;
  else
    return value.value != 0;
}

/// out[i] = row(operands[..][i]).
template <typename Row, typename T>
void eval_row(std::span<const Tensor> operands, Tensor& result) {
  using S = decltype(load_scalar(T{}));
  constexpr int kArity = scalar::arity<Row>();
  constexpr int kFirst = kArity == 3 ? 1 : 0;
  std::array<std::span<const T>, 3> in;
  for (int k = kFirst; k < kArity; ++k)
    in[static_cast<size_t>(k)] = operands[static_cast<size_t>(k)].template span<T>();
  std::array<S, kArity> values{};
  for (size_t i = 0; i < static_cast<size_t>(result.size()); ++i) {
    if constexpr (kFirst == 1)
      values[0] = scalar::like(S{}, operands[0].span<uint8_t>()[i] != 0 ? 1 : 0);
    for (size_t k = kFirst; k < kArity; ++k) values[k] = load_scalar(in[k][i]);
    const S value = scalar::apply_row<Row, S>(values);
    if constexpr (Row::facts.gives_bool)
      result.span<uint8_t>()[i] = is_true(value) ? 1 : 0;
    else
      result.span<T>()[i] = store_scalar<T>(value);
  }
}

template <OpKind kKind, typename Row>
struct ElementwiseOp {
  static constexpr OpFacts facts{.min_operands = scalar::arity<Row>(),
                                 .max_operands = scalar::arity<Row>(),
                                 .doc = Row::facts.doc,
                                 .max_ulp = Row::facts.max_ulp};
  static constexpr auto attrs = kNoAttrs;

  static std::vector<Type> infer(const InferContext& context) {
    return infer_elementwise(kKind, Row::facts, context);
  }

  static std::vector<Tensor> eval(const EvalContext& context) {
    Tensor result(context.results[0]);
    visit_dtype(context.operands.back().dtype(), [&](auto tag) {
      eval_row<Row, typename decltype(tag)::type>(context.operands, result);
    });
    return {std::move(result)};
  }

  /// The Jacobian of an elementwise op is diagonal, so the forward derivative along the cotangent,
  /// one operand at a time, is the reverse one.
  static void derive(VjpContext& context) {
    if (!context.cotangents[0]) return;
    const scalar::KnownNode known{kKind, context.operands, context.results[0]};
    const auto node = [&](ValueId value) {
      return scalar::GraphScalar{&context.builder, &known, value};
    };
    using Number = scalar::Dual<scalar::GraphScalar>;
    for (size_t seeded = 0; seeded < context.operands.size(); ++seeded) {
      if (!context.needs(seeded)) continue;
      std::vector<Number> operands;
      for (ValueId operand : context.operands) operands.push_back({node(operand), std::nullopt});
      operands[seeded].tangent = node(*context.cotangents[0]);
      const Number result = scalar::apply_row<Row, Number>(operands);
      if (result.tangent) context.add(seeded, result.tangent->value);
    }
  }

  static constexpr auto vjp = [] {
    if constexpr (Row::facts.has_derivative)
      return &derive;
    else
      return nullptr;
  }();
};

/// convert is the one elementwise op with an attribute, `dtype`, and a result of another dtype.
struct ConvertOp {
  static constexpr OpFacts facts{.doc = scalar::Convert::facts.doc,
                                 .max_ulp = scalar::Convert::facts.max_ulp};
  static constexpr std::array<AttrSpec, 1> attrs{{{"dtype", AttrKind::DType}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};
template <>
struct ElementwiseOp<OpKind::Convert, scalar::Convert> : ConvertOp {};

}  // namespace gradc::ops
