// Shape rules, evaluation and derivative of cumulative_sum and argsort.
#include "ir/ops/ordered.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ir/ops/elementwise.h"

namespace gradc::ops {
namespace {

void check_operand(std::string_view op, const Type& operand) {
  if (operand.dtype == DType::Bool)
    throw dtype_error(fmt::format("{} takes numbers, not {}", op, to_string(operand)));
  if (operand.shape.rank() == 0)
    throw shape_error(fmt::format("{}: a scalar has no last axis", op));
}

/// Running sums of one row, in the order of `positions`.
template <typename T>
void add_up(std::span<const T> in, const std::vector<size_t>& positions, bool is_exclusive,
            std::span<T> out) {
  using Sum = std::conditional_t<std::is_integral_v<T>, scalar::Wrapping<T>, double>;
  const auto load = [&](size_t i) {
    if constexpr (std::is_integral_v<T>)
      return scalar::Wrapping<T>{in[i]};
    else
      return static_cast<double>(load_scalar(in[i]));
  };
  Sum sum{0};
  for (size_t i : positions) {
    const Sum with = sum + load(i);
    const Sum kept = is_exclusive ? sum : with;
    if constexpr (std::is_integral_v<T>)
      out[i] = kept.value;
    else if constexpr (std::is_floating_point_v<T>)
      out[i] = static_cast<T>(kept);
    else
      out[i] = T(static_cast<float>(kept));
    sum = with;
  }
}

template <typename T>
bool is_nan(T value) {
  if constexpr (std::is_integral_v<T>)
    return false;
  else
    return std::isnan(static_cast<double>(load_scalar(value)));
}

/// Does a come before b?
template <typename T>
bool precedes(T a, T b, bool is_descending) {
  if (is_nan(a) || is_nan(b)) return !is_nan(a) && is_nan(b);
  if constexpr (std::is_integral_v<T>)
    return is_descending ? a > b : a < b;
  else
    return is_descending ? load_scalar(a) > load_scalar(b) : load_scalar(a) < load_scalar(b);
}

}  // namespace

std::vector<Type> CumulativeSum::infer(const InferContext& context) {
  check_operand("cumulative_sum", context.operands[0]);
  return {context.operands[0]};
}

std::vector<Tensor> CumulativeSum::eval(const EvalContext& context) {
  const Tensor& operand = context.operands[0];
  Tensor result(context.results[0]);
  const auto size = static_cast<size_t>(operand.shape()[operand.shape().rank() - 1]);
  std::vector<size_t> positions(size);
  std::iota(positions.begin(), positions.end(), size_t{0});
  if (context.attrs.get<bool>("reverse")) std::reverse(positions.begin(), positions.end());
  visit_dtype(operand.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t row = 0; row < static_cast<size_t>(operand.size()); row += size)
      add_up(operand.span<T>().subspan(row, size), positions, context.attrs.get<bool>("exclusive"),
             result.span<T>().subspan(row, size));
  });
  return {std::move(result)};
}

/// da[i] = sum of dout[j] over the j whose sums hold a[i]: running sums from the other end.
void CumulativeSum::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  context.add(0, context.builder.add(OpKind::CumulativeSum, {*context.cotangents[0]},
                                     {{"reverse", !context.attrs.get<bool>("reverse")},
                                      {"exclusive", context.attrs.get<bool>("exclusive")}}));
}

std::vector<Type> ArgSort::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  check_operand("argsort", operand);
  if (operand.shape[operand.shape.rank() - 1] > std::numeric_limits<int32_t>::max())
    throw shape_error(fmt::format("argsort: the last axis of {} is too long for i32 positions",
                                  to_string(operand)));
  return {{DType::I32, operand.shape}};
}

std::vector<Tensor> ArgSort::eval(const EvalContext& context) {
  const Tensor& operand = context.operands[0];
  Tensor result(context.results[0]);
  const auto size = static_cast<size_t>(operand.shape()[operand.shape().rank() - 1]);
  const bool is_descending = context.attrs.get<bool>("descending");
  visit_dtype(operand.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t row = 0; row < static_cast<size_t>(operand.size()); row += size) {
      const auto in = operand.span<T>().subspan(row, size);
      const auto out = result.span<int32_t>().subspan(row, size);
      std::iota(out.begin(), out.end(), 0);
      std::stable_sort(out.begin(), out.end(), [&](int32_t a, int32_t b) {
        return precedes(in[static_cast<size_t>(a)], in[static_cast<size_t>(b)], is_descending);
      });
    }
  });
  return {std::move(result)};
}

}  // namespace gradc::ops
