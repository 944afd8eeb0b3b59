// The movement ops: out[i] = operand[map(i)], any dtype.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Reshape {
  static constexpr OpFacts facts{
      .doc = "The elements in the same row-major order under the shape `shape`."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"shape", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Transpose {
  static constexpr OpFacts facts{.doc = "Axis j of the result is axis permutation[j] of a."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"permutation", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Broadcast {
  static constexpr OpFacts facts{
      .doc =
          "Repeats a to `shape`: axis axes[k] of the result is axis k of a, of that size or 1. "
          "The axes are distinct, in any order; the other axes of the result are new."};
  static constexpr std::array<AttrSpec, 2> attrs{
      {{"shape", AttrKind::Ints}, {"axes", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Slice {
  static constexpr OpFacts facts{
      .doc =
          "out[i] = a[start + i * stride], on every axis; start <= limit <= size, stride >= 1; "
          "the size is ceil((limit - start) / stride)."};
  static constexpr std::array<AttrSpec, 3> attrs{
      {{"start", AttrKind::Ints}, {"limit", AttrKind::Ints}, {"stride", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Reverse {
  static constexpr OpFacts facts{.doc = "out[i] = a[size - 1 - i] on each of `axes`."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"axes", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Pad {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "a with low[k] elements before and high[k] after it on each axis k, filled with the "
          "scalar b; low and high >= 0."};
  static constexpr std::array<AttrSpec, 2> attrs{
      {{"low", AttrKind::Ints}, {"high", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Concat {
  static constexpr OpFacts facts{
      .min_operands = 1, .max_operands = -1, .doc = "The operands one after the other on `axis`."};
  static constexpr std::array<AttrSpec, 1> attrs{{{"axis", AttrKind::Int}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
