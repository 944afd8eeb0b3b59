// Ops that hold a body.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Group {
  static constexpr OpFacts facts{
      .min_operands = 0,
      .max_operands = -1,
      .doc =
          "The results of the graph `body` (mode body; its inputs are operands, its outputs "
          "results) on the operands. Made by fusion: `kind` says how it is computed, `reason` "
          "why. Differentiation comes before."};
  static constexpr std::array<AttrSpec, 3> attrs{
      {{"kind", AttrKind::String}, {"body", AttrKind::Body}, {"reason", AttrKind::String}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

/// V7: empty if a graph can be the body of a node with operands of these types, else what is wrong.
std::string find_body_fault(const Graph* body, std::span<const Type> operands);

}  // namespace gradc::ops
