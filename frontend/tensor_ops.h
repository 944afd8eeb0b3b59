// Tensor operations as the language means them: weak numbers, promotion, broadcasting, negative
// axes. All throw Error (E04xx, E05xx) with a sentence that names both sides; a second line is
// advice.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "frontend/draft.h"

namespace gradc {

/// How a kernel slides: one entry per spatial axis.
struct Sliding {
  std::vector<int64_t> stride, dilation;
  /// Elements before and after each axis; where `is_same` as many as make the result
  /// ceil(size / stride) long, the odd one after.
  std::vector<int64_t> low, high;
  bool is_same = false;
  int64_t groups = 1;
};

/// The dtype in which tensors of two dtypes meet.
DType promote(DType a, DType b);

class TensorOps {
 public:
  explicit TensorOps(DraftGraph& draft) : draft_(draft) {}

  // Constants.
  TensorId constant(Tensor value);
  /// A scalar; an int must fit into an integer dtype (E0504).
  TensorId number(const NumberValue& number, DType dtype);
  TensorId fill(const Type& type, const NumberValue& number);
  TensorId fill(const Type& type, int64_t number) { return fill(type, NumberValue::of(number)); }
  TensorId iota(Shape shape, int64_t axis, DType dtype);

  // Elementwise.
  TensorId convert(TensorId a, DType dtype);
  /// The op as it is.
  TensorId unary(OpKind kind, TensorId a) { return draft_.add(kind, {a}); }
  /// bool and u8 widen to i32 first.
  TensorId arithmetic_unary(OpKind kind, TensorId a);
  /// Integers become f32 first.
  TensorId float_unary(OpKind kind, TensorId a);
  /// Arithmetic, comparison or logic of two tensors, or of a tensor and a number.
  TensorId binary(OpKind kind, const Value& a, const Value& b);
  TensorId select(TensorId condition, const Value& a, const Value& b);

  // Movement.
  TensorId reshape(TensorId a, const Shape& shape);
  TensorId transpose(TensorId a, std::vector<int64_t> permutation);
  TensorId broadcast(TensorId a, const Shape& shape);
  TensorId expand(TensorId a, int64_t axis);
  TensorId squeeze(TensorId a, const std::vector<int64_t>& axes);
  TensorId slice(TensorId a, std::vector<int64_t> start, std::vector<int64_t> limit);
  TensorId reverse(TensorId a, int64_t axis);
  TensorId pad(TensorId a, std::vector<int64_t> low, std::vector<int64_t> high,
               const NumberValue& value);
  TensorId concat(const std::vector<TensorId>& parts, int64_t axis);
  TensorId gather(TensorId a, TensorId indices, int64_t axis);
  TensorId scatter_add(TensorId a, TensorId indices, TensorId updates, int64_t axis);

  // Windows that slide.
  TensorId windows(TensorId a, std::vector<int64_t> axes, std::vector<int64_t> size,
                   std::vector<int64_t> stride, std::vector<int64_t> dilation);
  /// x [batch, size..., in] with a kernel [window..., in / groups, out].
  TensorId convolution(TensorId x, TensorId kernel, Sliding sliding);
  /// The derivative of the convolution with the kernel [window..., out / groups, in]: x [batch,
  /// size..., in] becomes [batch, size..., out].
  TensorId convolution_transpose(TensorId x, TensorId kernel, Sliding sliding);
  /// Products of an op made by the two above.
  int64_t convolution_products(TensorId result) const;

  // Reduction and contraction.
  /// bool and ints: `sum` gives i64, `mean` f32, the others keep the dtype.
  TensorId reduce(OpKind kind, TensorId a, std::vector<int64_t> axes, bool keep);
  /// `@`: the last axis of a with the last but one of b; leading axes broadcast.
  TensorId matmul(TensorId a, TensorId b);

  // Run-time scalars and draws.
  TensorId step();
  TensorId seed();
  /// Uniform in [0, 1), f32 or f64; `at_step` false: always as at step 0. In a scan one draw before
  /// the loop serves all rounds.
  TensorId random_unit(const Shape& shape, DType dtype, uint64_t stream, bool at_step);

  /// `axis` counted from the end where negative; E0408 outside of [-rank, rank).
  int64_t checked_axis(int64_t axis, int64_t rank) const;
  const Type& type(TensorId id) const { return draft_.type(id); }

 private:
  TensorId as_tensor(const Value& value, const Value& other, OpKind kind);
  void meet_dtypes(OpKind kind, TensorId& a, TensorId& b);
  /// Repeats both to one shape by the language's rule (E0403).
  void meet_shapes(std::string_view symbol, std::vector<TensorId*> operands);
  TensorId batch_product(TensorId a, TensorId b);

  DraftGraph& draft_;
  std::optional<TensorId> step_;
  std::optional<TensorId> seed_;
};

}  // namespace gradc
