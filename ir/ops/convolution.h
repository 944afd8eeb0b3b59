// The three partial derivatives of one trilinear form: sum of x * kernel * dy over a convolution.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

inline constexpr std::array<AttrSpec, 5> kConvolutionAttrs{{{"stride", AttrKind::Ints},
                                                            {"low", AttrKind::Ints},
                                                            {"high", AttrKind::Ints},
                                                            {"dilation", AttrKind::Ints},
                                                            {"groups", AttrKind::Int}}};
inline constexpr std::array<AttrSpec, 6> kSizedConvolutionAttrs{{{"size", AttrKind::Ints},
                                                                 {"stride", AttrKind::Ints},
                                                                 {"low", AttrKind::Ints},
                                                                 {"high", AttrKind::Ints},
                                                                 {"dilation", AttrKind::Ints},
                                                                 {"groups", AttrKind::Int}}};

struct Conv {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "out[n, t, o] = sum over k, c of a[n, t * stride + k * dilation - low, g * C + c] * b[k, "
          "c, o]: the convolution of a[batch, spatial, channels] with the kernel b[spatial, C, "
          "filters], without reversal; one to three spatial axes, `low` and `high` elements of "
          "padding that count as 0. C = channels / `groups`, and g = o / (filters / groups) is "
          "the group of filter o. Floats. The reference adds in f64 and rounds once."};
  static constexpr auto attrs = kConvolutionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct ConvInput {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "The derivative of sum(a * conv(x, b)) by x, whose spatial axes have the sizes `size`: "
          "the transposed convolution of a[batch, spatial, filters] with the kernel b[spatial, C, "
          "filters]."};
  static constexpr auto attrs = kSizedConvolutionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct ConvKernel {
  static constexpr OpFacts facts{
      .min_operands = 2,
      .max_operands = 2,
      .doc =
          "The derivative of sum(conv(a, kernel) * b) by the kernel, whose spatial axes have the "
          "sizes `size`; a[batch, spatial, channels], b[batch, spatial, filters]."};
  static constexpr auto attrs = kSizedConvolutionAttrs;
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
