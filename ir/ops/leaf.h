// Values made from attributes alone.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Constant {
  static constexpr OpFacts facts{
      .min_operands = 0, .max_operands = 0, .doc = "The tensor `value`."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"value", AttrKind::Tensor}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

struct Iota {
  static constexpr OpFacts facts{
      .min_operands = 0,
      .max_operands = 0,
      .doc = "out[..., i, ...] = i, where i is the index on `axis`; of `shape` and `dtype`."};
  static constexpr std::array<AttrSpec, 3> attrs{
      {{"shape", AttrKind::Ints}, {"axis", AttrKind::Int}, {"dtype", AttrKind::DType}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

}  // namespace gradc::ops
