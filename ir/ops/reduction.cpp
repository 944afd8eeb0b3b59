// Shape rules and evaluation of the reductions.
#include "ir/ops/reduction.h"

#include "ir/ops/elementwise.h"

namespace gradc::ops {
namespace {

Shape reduced_shape(std::string_view op, const InferContext& context) {
  const Shape& shape = context.operands[0].shape;
  const std::vector<int64_t>& axes = context.attrs.ints("axes");
  check_axes(op, axes, shape.rank());
  return Shape(pick(shape, other_axes(axis_mask(axes, shape.rank()))));
}

std::vector<Type> infer_number(std::string_view op, const InferContext& context) {
  const Type& operand = context.operands[0];
  if (operand.dtype == DType::Bool)
    throw dtype_error(fmt::format("{} takes numbers, not {}", op, to_string(operand)));
  return {{operand.dtype, reduced_shape(op, context)}};
}

std::vector<Type> infer_index(std::string_view op, const InferContext& context) {
  const Type& operand = context.operands[0];
  if (operand.dtype == DType::Bool)
    throw dtype_error(fmt::format("{} takes numbers, not {}", op, to_string(operand)));
  Shape shape = reduced_shape(op, context);
  const Shape reduced(pick(operand.shape, context.attrs.ints("axes")));
  if (reduced.element_count() > std::numeric_limits<int32_t>::max())
    throw shape_error(
        fmt::format("{}: {} elements do not fit an i32 index", op, reduced.element_count()));
  return {{DType::I32, std::move(shape)}};
}

/// Visits every element in row-major order with its position in the result and among the reduced.
template <typename Visit>
void for_each_reduced(const Shape& shape, const std::vector<int64_t>& axes, Visit visit) {
  const std::vector<bool> mask = axis_mask(axes, shape.rank());
  std::vector<int64_t> out_strides(mask.size());
  std::vector<int64_t> in_strides(mask.size());
  int64_t out_size = 1;
  int64_t in_size = 1;
  for (size_t axis = mask.size(); axis-- > 0;) {
    const int64_t size = shape[static_cast<int64_t>(axis)];
    out_strides[axis] = mask[axis] ? 0 : out_size;
    in_strides[axis] = mask[axis] ? in_size : 0;
    (mask[axis] ? in_size : out_size) *= size;
  }
  const int64_t count = shape.element_count();
  std::vector<int64_t> position(mask.size(), 0);
  int64_t out = 0;
  int64_t in = 0;
  for (int64_t i = 0; i < count; ++i) {
    visit(static_cast<size_t>(i), static_cast<size_t>(out), in);
    for (size_t axis = mask.size(); axis-- > 0;) {
      out += out_strides[axis];
      in += in_strides[axis];
      if (++position[axis] < shape[static_cast<int64_t>(axis)]) break;
      out -= out_strides[axis] * position[axis];
      in -= in_strides[axis] * position[axis];
      position[axis] = 0;
    }
  }
}

/// Floats accumulate in double, integers wrapping.
template <typename T>
auto load_wide(T value) {
  if constexpr (std::is_integral_v<T>)
    return scalar::Wrapping<T>{value};
  else
    return static_cast<double>(load_scalar(value));
}
template <typename T, typename S>
T store_wide(S value) {
  if constexpr (std::is_integral_v<T>)
    return value.value;
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(value);
  else
    return T(static_cast<float>(value));
}

/// result = initial(its type), combined with every element in order, then finished.
template <typename Initial, typename Combine, typename Finish>
std::vector<Tensor> fold(const EvalContext& context, Initial initial, Combine combine,
                         Finish finish) {
  Tensor result(context.results[0]);
  const Tensor& operand = context.operands[0];
  visit_dtype(operand.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using S = decltype(load_wide(T{}));
    const auto in = operand.span<T>();
    std::vector<S> sums(static_cast<size_t>(result.size()), initial(S{}));
    for_each_reduced(
        operand.shape(), context.attrs.ints("axes"),
        [&](size_t i, size_t out, int64_t) { sums[out] = combine(sums[out], load_wide(in[i])); });
    for (size_t i = 0; i < sums.size(); ++i) result.span<T>()[i] = store_wide<T>(finish(sums[i]));
  });
  return {std::move(result)};
}

constexpr auto kUnchanged = [](auto value) { return value; };
constexpr auto kZero = [](auto value) { return scalar::like(value, 0); };
constexpr auto kOne = [](auto value) { return scalar::like(value, 1); };

/// The value above (below) all others of the scalar type: infinity, or the end of the integers.
template <typename S>
S highest(S) {
  if constexpr (std::is_floating_point_v<S>)
    return std::numeric_limits<S>::infinity();
  else
    return {std::numeric_limits<decltype(S::value)>::max()};
}
template <typename S>
S lowest(S) {
  if constexpr (std::is_floating_point_v<S>)
    return -std::numeric_limits<S>::infinity();
  else
    return {std::numeric_limits<decltype(S::value)>::min()};
}

/// Position of the element that `is_better` than all before it.
template <typename IsBetter>
std::vector<Tensor> find_best(const EvalContext& context, IsBetter is_better) {
  Tensor result(context.results[0]);
  const Tensor& operand = context.operands[0];
  visit_dtype(operand.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using S = decltype(load_wide(T{}));
    const auto in = operand.span<T>();
    const auto positions = result.span<int32_t>();
    std::vector<S> best(positions.size());
    for_each_reduced(
        operand.shape(), context.attrs.ints("axes"), [&](size_t i, size_t out, int64_t position) {
          const S value = load_wide(in[i]);
          const bool was_nan = is_true(scalar::not_equal(best[out], best[out]));
          const bool is_nan = is_true(scalar::not_equal(value, value));
          const bool wins = is_nan ? !was_nan : !was_nan && is_better(value, best[out]);
          if (position != 0 && !wins) return;
          best[out] = value;
          positions[out] = static_cast<int32_t>(position);
        });
  });
  return {std::move(result)};
}

}  // namespace

std::vector<Type> Sum::infer(const InferContext& context) { return infer_number("sum", context); }
std::vector<Type> Max::infer(const InferContext& context) { return infer_number("max", context); }
std::vector<Type> Min::infer(const InferContext& context) { return infer_number("min", context); }
std::vector<Type> Prod::infer(const InferContext& context) { return infer_number("prod", context); }
std::vector<Type> ArgMax::infer(const InferContext& context) {
  return infer_index("argmax", context);
}
std::vector<Type> ArgMin::infer(const InferContext& context) {
  return infer_index("argmin", context);
}
std::vector<Type> Mean::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  if (!is_float(operand.dtype))
    throw dtype_error(fmt::format("mean takes floats, not {}", to_string(operand)));
  return {{operand.dtype, reduced_shape("mean", context)}};
}

std::vector<Tensor> Sum::eval(const EvalContext& context) {
  return fold(
      context, kZero, [](auto sum, auto x) { return sum + x; }, kUnchanged);
}

std::vector<Tensor> Mean::eval(const EvalContext& context) {
  const Shape reduced(pick(context.operands[0].shape(), context.attrs.ints("axes")));
  const auto count = static_cast<double>(reduced.element_count());
  return fold(
      context, kZero, [](auto sum, auto x) { return sum + x; },
      [count](auto sum) { return sum / scalar::like(sum, count); });
}

std::vector<Tensor> Prod::eval(const EvalContext& context) {
  return fold(
      context, kOne, [](auto product, auto x) { return product * x; }, kUnchanged);
}

std::vector<Tensor> Max::eval(const EvalContext& context) {
  return fold(
      context, [](auto value) { return lowest(value); },
      [](auto a, auto b) { return scalar::maximum(a, b); }, kUnchanged);
}

std::vector<Tensor> Min::eval(const EvalContext& context) {
  return fold(
      context, [](auto value) { return highest(value); },
      [](auto a, auto b) { return scalar::minimum(a, b); }, kUnchanged);
}

std::vector<Tensor> ArgMax::eval(const EvalContext& context) {
  return find_best(context, [](auto x, auto best) { return is_true(scalar::greater(x, best)); });
}

std::vector<Tensor> ArgMin::eval(const EvalContext& context) {
  return find_best(context, [](auto x, auto best) { return is_true(scalar::less(x, best)); });
}

}  // namespace gradc::ops
