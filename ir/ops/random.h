// Counter-based random draws.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Random {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "Uniform in [0, 1): element i is random_unit_f32 (random_unit_f64) of "
          "runtime/core/rng.h at {seed a, `stream`, step b} and the row-major index i; a and b "
          "are i64[]. Of `shape` and `dtype` f32 or f64. No derivative."};
  static constexpr std::array<AttrSpec, 3> attrs{
      {{"shape", AttrKind::Ints}, {"dtype", AttrKind::DType}, {"stream", AttrKind::Int}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

}  // namespace gradc::ops
