// The reductions over `axes`, which disappear. Axes are distinct, in any order.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

inline constexpr std::array<AttrSpec, 1> kReductionAttrs{{{"axes", AttrKind::Ints}}};

struct Sum {
  static constexpr OpFacts facts{
      .doc =
          "The sum over `axes`, 0 of nothing. Integers wrap around. The reference adds floats "
          "in f64 and rounds once."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Mean {
  static constexpr OpFacts facts{
      .doc = "The sum over `axes` of floats by the number of summands, NaN of nothing."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Max {
  static constexpr OpFacts facts{
      .doc =
          "The largest over `axes`, NaN if one is, -inf (integers: the lowest) of nothing. Of "
          "+0 and -0 it may be either. Equal largest elements share the gradient equally."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Min {
  static constexpr OpFacts facts{
      .doc =
          "The smallest over `axes`, NaN if one is, inf (integers: the highest) of nothing. Of "
          "+0 and -0 it may be either. Equal smallest elements share the gradient equally."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct Prod {
  static constexpr OpFacts facts{
      .doc =
          "The product over `axes`, 1 of nothing. Integers wrap around. The gradient is right "
          "where elements are 0; its own gradient is not."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct ArgMax {
  static constexpr OpFacts facts{
      .doc =
          "i32: where the largest over `axes` is, counted in row-major order over these axes in "
          "ascending order; the first of equal ones, the first NaN if there is one, 0 of "
          "nothing."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

struct ArgMin {
  static constexpr OpFacts facts{
      .doc =
          "i32: where the smallest over `axes` is, counted in row-major order over these axes "
          "in ascending order; the first of equal ones, the first NaN if there is one, 0 of "
          "nothing."};
  static constexpr auto attrs = kReductionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static constexpr std::nullptr_t vjp = nullptr;
};

}  // namespace gradc::ops
