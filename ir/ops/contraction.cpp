// Shape rule, evaluation and derivative of dot.
#include "ir/ops/contraction.h"

#include <algorithm>
#include <numeric>

#include "ir/ops/elementwise.h"
#include "ir/ops/strided_copy.h"

namespace gradc::ops {
namespace {

/// The axes of one operand by their part.
struct Side {
  std::vector<int64_t> batch;
  std::vector<int64_t> free;
  std::vector<int64_t> contract;
};

Side side(const Attrs& attrs, bool is_left, int64_t rank) {
  Side side{attrs.ints(is_left ? "lhs_batch" : "rhs_batch"),
            {},
            attrs.ints(is_left ? "lhs_contract" : "rhs_contract")};
  std::vector<int64_t> used = side.batch;
  used.insert(used.end(), side.contract.begin(), side.contract.end());
  check_axes("dot", used, rank);
  side.free = other_axes(axis_mask(used, rank));
  return side;
}

void append(std::vector<int64_t>& to, const std::vector<int64_t>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

int64_t count(const Shape& shape, const std::vector<int64_t>& axes) {
  return Shape(pick(shape, axes)).element_count();
}

/// The operand copied to [batch, free, contract].
Tensor arranged(const Tensor& operand, const Side& side) {
  std::vector<int64_t> order = side.batch;
  append(order, side.free);
  append(order, side.contract);
  const std::vector<int64_t> strides = operand.shape().strides();
  View view;
  for (int64_t axis : order) view.strides.push_back(strides[static_cast<size_t>(axis)]);
  Tensor result(operand.dtype(), Shape(pick(operand.shape(), order)));
  copy_strided(result.shape(), operand, view, result, {0, result.shape().strides()});
  return result;
}

template <typename T>
struct Product {
  size_t batch;
  size_t rows;
  size_t columns;
  size_t depth;

  void run(std::span<const T> a, std::span<const T> b, std::span<T> out) const {
    for (size_t n = 0; n < batch; ++n)
      for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j)
          out[(n * rows + i) * columns + j] = inner(a.subspan((n * rows + i) * depth, depth),
                                                    b.subspan((n * columns + j) * depth, depth));
  }

  static T inner(std::span<const T> a, std::span<const T> b) {
    if constexpr (std::is_integral_v<T>) {
      scalar::Wrapping<T> sum{0};
      for (size_t k = 0; k < a.size(); ++k) sum = sum + load_scalar(a[k]) * load_scalar(b[k]);
      return sum.value;
    } else {
      double sum = 0;
      for (size_t k = 0; k < a.size(); ++k)
        sum += static_cast<double>(load_scalar(a[k])) * static_cast<double>(load_scalar(b[k]));
      if constexpr (std::is_floating_point_v<T>)
        return static_cast<T>(sum);
      else
        return T(static_cast<float>(sum));
    }
  }
};

/// A dot whose result has the axes of an operand in the order `axes`, put back into their own
/// order.
ValueId in_own_order(GraphBuilder& b, ValueId value, const std::vector<int64_t>& axes) {
  std::vector<int64_t> permutation(axes.size());
  for (size_t position = 0; position < axes.size(); ++position)
    permutation[static_cast<size_t>(axes[position])] = static_cast<int64_t>(position);
  return b.transpose(value, std::move(permutation));
}

/// first, first + 1, ...: `length` axes.
std::vector<int64_t> run_of_axes(size_t first, size_t length) {
  std::vector<int64_t> axes(length);
  std::iota(axes.begin(), axes.end(), static_cast<int64_t>(first));
  return axes;
}

/// The contracted axes of `wanted` in the order in which the matching axes of `other` ascend.
std::vector<int64_t> matching_order(const Side& wanted, const Side& other) {
  std::vector<size_t> order(other.contract.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return other.contract[a] < other.contract[b]; });
  std::vector<int64_t> axes;
  for (size_t n : order) axes.push_back(wanted.contract[n]);
  return axes;
}

}  // namespace

std::vector<Type> Dot::infer(const InferContext& context) {
  const Type& a = context.operands[0];
  const Type& b = context.operands[1];
  if (a.dtype != b.dtype || a.dtype == DType::Bool)
    throw dtype_error(
        fmt::format("dot takes numbers of one dtype, not {} and {}", to_string(a), to_string(b)));
  const Side left = side(context.attrs, true, a.shape.rank());
  const Side right = side(context.attrs, false, b.shape.rank());
  const auto check_pairs = [&](const std::vector<int64_t>& x, const std::vector<int64_t>& y,
                               std::string_view part) {
    if (x.size() != y.size())
      throw attr_error(fmt::format("dot: {} {} axes of {} for {} of {}", x.size(), part,
                                   to_string(a), y.size(), to_string(b)));
    for (size_t n = 0; n < x.size(); ++n)
      if (a.shape[x[n]] != b.shape[y[n]])
        throw Error(ExitCode::ModelOrData, "E0401",
                    fmt::format("dot of {} and {}: {} (axis {}) against {} (axis {})", to_string(a),
                                to_string(b), a.shape[x[n]], x[n], b.shape[y[n]], y[n]));
  };
  check_pairs(left.batch, right.batch, "batch");
  check_pairs(left.contract, right.contract, "contracted");
  std::vector<int64_t> dims = pick(a.shape, left.batch);
  append(dims, pick(a.shape, left.free));
  append(dims, pick(b.shape, right.free));
  return {{a.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> Dot::eval(const EvalContext& context) {
  const Shape& a_shape = context.operands[0].shape();
  const Shape& b_shape = context.operands[1].shape();
  const Side left = side(context.attrs, true, a_shape.rank());
  const Side right = side(context.attrs, false, b_shape.rank());
  Tensor result(context.results[0]);
  if (result.is_empty()) return {std::move(result)};
  const Tensor a = arranged(context.operands[0], left);
  const Tensor b = arranged(context.operands[1], right);
  visit_dtype(result.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Product<T> product{static_cast<size_t>(count(a_shape, left.batch)),
                             static_cast<size_t>(count(a_shape, left.free)),
                             static_cast<size_t>(count(b_shape, right.free)),
                             static_cast<size_t>(count(a_shape, left.contract))};
    product.run(a.span<T>(), b.span<T>(), result.span<T>());
  });
  return {std::move(result)};
}

/// da[batch, i, k] = sum_j dout[batch, i, j] b[batch, j, k]; db[batch, j, k] = sum_i a dout.
void Dot::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  GraphBuilder& b = context.builder;
  const ValueId cotangent = *context.cotangents[0];
  const Side left = side(context.attrs, true, b.shape(context.operands[0]).rank());
  const Side right = side(context.attrs, false, b.shape(context.operands[1]).rank());
  const size_t batch = left.batch.size();
  const std::vector<int64_t> batch_axes = run_of_axes(0, batch);
  const std::vector<int64_t> left_axes = run_of_axes(batch, left.free.size());
  const std::vector<int64_t> right_axes = run_of_axes(batch + left.free.size(), right.free.size());
  if (context.needs(0)) {
    const ValueId product = b.add(OpKind::Dot, {cotangent, context.operands[1]},
                                  {{"lhs_batch", batch_axes},
                                   {"rhs_batch", right.batch},
                                   {"lhs_contract", right_axes},
                                   {"rhs_contract", right.free}});
    std::vector<int64_t> axes = left.batch;
    append(axes, left.free);
    append(axes, matching_order(left, right));
    context.add(0, in_own_order(b, product, axes));
  }
  if (context.needs(1)) {
    const ValueId product = b.add(OpKind::Dot, {context.operands[0], cotangent},
                                  {{"lhs_batch", left.batch},
                                   {"rhs_batch", batch_axes},
                                   {"lhs_contract", left.free},
                                   {"rhs_contract", left_axes}});
    std::vector<int64_t> axes = right.batch;
    append(axes, matching_order(right, left));
    append(axes, right.free);
    context.add(1, in_own_order(b, product, axes));
  }
}

}  // namespace gradc::ops
