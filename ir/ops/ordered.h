// What depends on the order along the last axis: running sums and sorting.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct CumulativeSum {
  static constexpr OpFacts facts{
      .doc =
          "out[p, i] = sum of a[p, j] over j <= i, p stands for all axes but the last; j >= i with "
          "`reverse`; without j = i with `exclusive`. Integers wrap around. Floats are added in "
          "f64, each sum is rounded once."};
  static constexpr std::array<AttrSpec, 2> attrs{
      {{"reverse", AttrKind::Bool}, {"exclusive", AttrKind::Bool}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct ArgSort {
  static constexpr OpFacts facts{
      .doc =
          "i32: the permutation that sorts along the last axis: a[p, out[p, i]] does not fall with "
          "i, or does not rise with `descending`. Equal elements keep their order, NaNs come "
          "last."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"descending", AttrKind::Bool}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

}  // namespace gradc::ops
