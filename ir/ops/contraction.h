// dot: the contraction of two tensors.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Dot {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "out[batch, i, j] = sum over k of a[batch, i, k] * b[batch, j, k]. Axis lhs_batch[n] "
          "of a goes with rhs_batch[n] of b, lhs_contract[n] with rhs_contract[n]. Result axes: "
          "the batch axes in the order of lhs_batch, the other axes of a, the other axes of b. "
          "Numbers of one dtype; integers wrap around. The reference adds floats in f64 and "
          "rounds once; compiled code adds in the dtype, f16 and bf16 in f32."};
  static constexpr std::array<AttrSpec, 4> attrs{{{"lhs_batch", AttrKind::Ints},
                                                  {"rhs_batch", AttrKind::Ints},
                                                  {"lhs_contract", AttrKind::Ints},
                                                  {"rhs_contract", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
