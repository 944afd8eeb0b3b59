// Ops that mean something to the compiler only and are gone before code generation.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Gradient {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = -1,
      .doc =
          "The derivatives of the float scalar a by each of the other operands (floats), of "
          "their types. Differentiation expands it; it cannot be evaluated."};
  static constexpr auto attrs = kNoAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct StopGradient {
  static constexpr OpFacts facts{.doc = "a, with the derivative 0."};
  static constexpr auto attrs = kNoAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

struct Accumulate {
  static constexpr OpFacts facts{
      .doc = "a; marks a value that is accumulated over the batches of a pass."};
  static constexpr auto attrs = kNoAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
