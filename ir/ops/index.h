// Reading and adding at positions given by a tensor. Each is the other's derivative.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

inline constexpr std::array<AttrSpec, 1> kIndexAttrs{{{"axis", AttrKind::Int}}};

struct Gather {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "out[p, q, r] = a[p, clamp(b[q], 0, size - 1), r], where p stands for the axes of a "
          "before `axis`, q for all axes of the integers b, r for the axes of a after `axis`."};
  static constexpr auto attrs = kIndexAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct ScatterAdd {
  static constexpr OpFacts facts{
      .min_operands = 3,
      .max_operands = 3,
      .doc =
          "a copy of a to which out[p, clamp(b[q], 0, size - 1), r] += c[p, q, r] is applied in "
          "row-major order of q; p, q and r as in gather."};
  static constexpr auto attrs = kIndexAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
