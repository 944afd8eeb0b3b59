// Shape rules, evaluation and derivatives of windows and fold_windows.
#include "ir/ops/windows.h"

#include <algorithm>

#include "ir/convolution_shape.h"
#include "ir/ops/elementwise.h"
#include "ir/ops/strided_copy.h"

namespace gradc::ops {
namespace {

using Ints = std::vector<int64_t>;

/// The common checks of both ops: lists of one length, axes of a tensor of this rank.
void check_lists(std::string_view op, const Attrs& attrs, const Ints& sizes, int64_t rank) {
  const Ints& axes = attrs.ints("axes");
  const Ints& stride = attrs.ints("stride");
  const Ints& dilation = attrs.ints("dilation");
  check_axes(op, axes, rank);
  if (!std::is_sorted(axes.begin(), axes.end()))
    throw attr_error(fmt::format("{}: the axes [{}] do not ascend", op, fmt::join(axes, ", ")));
  if (sizes.size() != axes.size() || stride.size() != axes.size() || dilation.size() != axes.size())
    throw attr_error(
        fmt::format("{}: not each of the axes [{}] has its values", op, fmt::join(axes, ", ")));
  const auto is_positive = [](int64_t number) { return number >= 1; };
  if (!std::all_of(stride.begin(), stride.end(), is_positive) ||
      !std::all_of(dilation.begin(), dilation.end(), is_positive))
    throw attr_error(fmt::format("{}: stride and dilation are at least 1", op));
}

int64_t places(std::string_view op, int64_t length, int64_t size, int64_t stride,
               int64_t dilation) {
  const std::optional<int64_t> count =
      size < 1 ? std::nullopt : window_count(length, size, stride, dilation);
  if (!count)
    throw Error(ExitCode::ModelOrData, "E0406",
                fmt::format("{}: a window of {} elements, {} apart, does not fit into {}", op, size,
                            dilation, length));
  return *count;
}

/// The view of the whole tensor under the shape of its windows.
View window_view(const Shape& whole, const Attrs& attrs) {
  const Ints strides = whole.strides();
  View view;
  size_t next = 0;
  const Ints& axes = attrs.ints("axes");
  for (int64_t axis = 0; axis < whole.rank(); ++axis) {
    const int64_t step = strides[static_cast<size_t>(axis)];
    if (next < axes.size() && axes[next] == axis) {
      view.strides.push_back(step * attrs.ints("stride")[next]);
      view.strides.push_back(step * attrs.ints("dilation")[next++]);
    } else {
      view.strides.push_back(step);
    }
  }
  return view;
}

/// out[view(i)] += in[i], in row-major order of i.
template <typename T>
struct Adder {
  const Ints& dims;
  const View& view;
  const T* in;
  T* out;

  void add(size_t axis, int64_t offset) {
    if (axis == dims.size()) {
      out[offset] = store_scalar<T>(load_scalar(out[offset]) + load_scalar(*in++));
      return;
    }
    for (int64_t i = 0; i < dims[axis]; ++i) add(axis + 1, offset + i * view.strides[axis]);
  }
};

}  // namespace

std::vector<Type> Windows::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  const Attrs& attrs = context.attrs;
  check_lists("windows", attrs, attrs.ints("size"), operand.shape.rank());
  const Ints& axes = attrs.ints("axes");
  Ints dims;
  size_t next = 0;
  for (int64_t axis = 0; axis < operand.shape.rank(); ++axis) {
    if (next == axes.size() || axes[next] != axis) {
      dims.push_back(operand.shape[axis]);
      continue;
    }
    const int64_t size = attrs.ints("size")[next];
    dims.push_back(places("windows", operand.shape[axis], size, attrs.ints("stride")[next],
                          attrs.ints("dilation")[next]));
    dims.push_back(size);
    ++next;
  }
  return {{operand.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> Windows::eval(const EvalContext& context) {
  Tensor result(context.results[0]);
  const View view = window_view(context.operands[0].shape(), context.attrs);
  copy_strided(result.shape(), context.operands[0], view, result, {0, result.shape().strides()});
  return {std::move(result)};
}

void Windows::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  const Attrs& attrs = context.attrs;
  context.add(0,
              context.builder.add(
                  OpKind::FoldWindows, {*context.cotangents[0]},
                  {{"axes", attrs.ints("axes")},
                   {"length", pick(context.builder.shape(context.operands[0]), attrs.ints("axes"))},
                   {"stride", attrs.ints("stride")},
                   {"dilation", attrs.ints("dilation")}}));
}

std::vector<Type> FoldWindows::infer(const InferContext& context) {
  const Type& operand = context.operands[0];
  const Attrs& attrs = context.attrs;
  const Ints& axes = attrs.ints("axes");
  const auto pairs = static_cast<int64_t>(axes.size());
  if (operand.dtype == DType::Bool)
    throw dtype_error(fmt::format("fold_windows adds numbers, not {}", to_string(operand)));
  check_lists("fold_windows", attrs, attrs.ints("length"), operand.shape.rank() - pairs);
  Ints dims;
  size_t next = 0;
  for (int64_t axis = 0; axis < operand.shape.rank(); ++axis) {
    const auto own = static_cast<int64_t>(dims.size());
    if (next == axes.size() || axes[next] != own) {
      dims.push_back(operand.shape[axis]);
      continue;
    }
    const int64_t length = attrs.ints("length")[next];
    const int64_t size = operand.shape[axis + 1];
    const int64_t count = places("fold_windows", length, size, attrs.ints("stride")[next],
                                 attrs.ints("dilation")[next]);
    if (count != operand.shape[axis])
      throw shape_error(
          fmt::format("fold_windows: axis {} of {} has {} places of a window, {} "
                      "elements have {}",
                      axis, to_string(operand), operand.shape[axis], length, count));
    dims.push_back(length);
    ++axis;
    ++next;
  }
  return {{operand.dtype, Shape(std::move(dims))}};
}

std::vector<Tensor> FoldWindows::eval(const EvalContext& context) {
  const Tensor& operand = context.operands[0];
  Tensor result(context.results[0]);
  const View view = window_view(result.shape(), context.attrs);
  visit_dtype(result.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::ranges::fill(result.span<T>(), store_scalar<T>(-load_scalar(T{})));
    Adder<T>{operand.shape().dims(), view, operand.span<T>().data(), result.span<T>().data()}.add(
        0, 0);
  });
  return {std::move(result)};
}

void FoldWindows::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  const Attrs& attrs = context.attrs;
  const Shape shape = context.builder.shape(context.operands[0]);
  Ints size;
  for (size_t k = 0; k < attrs.ints("axes").size(); ++k)
    size.push_back(shape[attrs.ints("axes")[k] + static_cast<int64_t>(k) + 1]);
  context.add(0, context.builder.add(OpKind::Windows, {*context.cotangents[0]},
                                     {{"axes", attrs.ints("axes")},
                                      {"size", std::move(size)},
                                      {"stride", attrs.ints("stride")},
                                      {"dilation", attrs.ints("dilation")}}));
}

}  // namespace gradc::ops
