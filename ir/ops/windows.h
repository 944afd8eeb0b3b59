// Sliding windows over axes of a tensor, and the sum back over them. Each is the other's
// derivative.
#pragma once
#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Windows {
  static constexpr OpFacts facts{
      .doc =
          "out[.., i, w, ..] = a[.., i * stride + w * dilation, ..]: each of `axes` (ascending) "
          "becomes two, the places of a window of `size` elements and the elements in it. "
          "Elements after the last whole window are left out."};
  static constexpr std::array<AttrSpec, 4> attrs{{{"axes", AttrKind::Ints},
                                                  {"size", AttrKind::Ints},
                                                  {"stride", AttrKind::Ints},
                                                  {"dilation", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

struct FoldWindows {
  static constexpr OpFacts facts{
      .doc =
          "Zeros (-0 of floats, to which adding changes nothing) to which out[.., i * stride + w * "
          "dilation, ..] += a[.., i, w, ..] is applied in row-major order of the i and w: the "
          "pairs "
          "of axes of windows(out) become `axes` of the sizes `length` again. Numbers."};
  static constexpr std::array<AttrSpec, 4> attrs{{{"axes", AttrKind::Ints},
                                                  {"length", AttrKind::Ints},
                                                  {"stride", AttrKind::Ints},
                                                  {"dilation", AttrKind::Ints}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

}  // namespace gradc::ops
