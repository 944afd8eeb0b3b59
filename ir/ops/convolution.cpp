// Shape rules, evaluation and derivatives of the convolution ops.
#include "ir/ops/convolution.h"

#include "ir/convolution_shape.h"
#include "ir/ops/scalar_numbers.h"

namespace gradc::ops {
namespace {

/// The next index in row-major order; false after the last.
bool advance(std::vector<int64_t>& index, const std::vector<int64_t>& sizes) {
  for (size_t axis = sizes.size(); axis-- > 0;) {
    if (++index[axis] < sizes[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

int64_t linear(const std::vector<int64_t>& index, const std::vector<int64_t>& sizes) {
  int64_t position = 0;
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    position = position * sizes[axis] + index[axis];
  return position;
}

/// The element of the input under element `k` of the window at `t`; nothing in the padding.
std::optional<int64_t> input_place(const ConvolutionShape& shape, const std::vector<int64_t>& t,
                                   const std::vector<int64_t>& k) {
  std::vector<int64_t> place(shape.rank());
  for (size_t axis = 0; axis < shape.rank(); ++axis) {
    place[axis] = t[axis] * shape.stride[axis] + k[axis] * shape.dilation[axis] - shape.low[axis];
    if (place[axis] < 0 || place[axis] >= shape.input[axis]) return std::nullopt;
  }
  return linear(place, shape.input);
}

/// Calls visit(element of x, element of the kernel, element of the output) for each product.
template <typename Visit>
void for_each_product(const ConvolutionShape& shape, Visit visit) {
  const int64_t inputs = Shape(shape.input).element_count();
  const int64_t outputs = Shape(shape.output).element_count();
  if (shape.multiplications() == 0) return;
  std::vector<int64_t> t(shape.rank(), 0);
  do {
    std::vector<int64_t> k(shape.rank(), 0);
    do {
      const std::optional<int64_t> place = input_place(shape, t, k);
      if (!place) continue;
      for (int64_t n = 0; n < shape.batch; ++n)
        for (int64_t c = 0; c < shape.channels; ++c) {
          const int64_t x = (n * inputs + *place) * shape.channels + c;
          const int64_t group = c / shape.group_channels();
          const int64_t first = group * shape.group_filters();
          const int64_t row =
              linear(k, shape.kernel) * shape.group_channels() + c % shape.group_channels();
          const int64_t y = (n * outputs + linear(t, shape.output)) * shape.filters;
          for (int64_t o = first; o < first + shape.group_filters(); ++o)
            visit(static_cast<size_t>(x), static_cast<size_t>(row * shape.filters + o),
                  static_cast<size_t>(y + o));
        }
    } while (advance(k, shape.kernel));
  } while (advance(t, shape.output));
}

std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> result;
  result.reserve(static_cast<size_t>(tensor.size()));
  for (int64_t i = 0; i < tensor.size(); ++i) result.push_back(tensor.at(i));
  return result;
}

/// The operands as numbers and the sums to which `evaluate` adds, rounded once at the end.
template <typename AddProduct>
std::vector<Tensor> sum_products(OpKind kind, const EvalContext& context, AddProduct add_product) {
  const std::vector<Type> types{context.operands[0].type(), context.operands[1].type()};
  const ConvolutionShape shape = convolution_shape(kind, types, context.attrs);
  const std::vector<double> a = numbers(context.operands[0]);
  const std::vector<double> b = numbers(context.operands[1]);
  Tensor result(context.results[0]);
  std::vector<double> sums(static_cast<size_t>(result.size()), 0);
  for_each_product(
      shape, [&](size_t x, size_t kernel, size_t y) { add_product(a, b, sums, x, kernel, y); });
  for (int64_t i = 0; i < result.size(); ++i) result.set(i, sums[static_cast<size_t>(i)]);
  return {std::move(result)};
}

/// The attributes of the same convolution with the sizes that `kind` cannot see.
Attrs with_size(const Attrs& attrs, OpKind kind, const ConvolutionShape& shape) {
  Attrs result;
  if (kind != OpKind::Conv)
    result.set("size", kind == OpKind::ConvInput ? shape.input : shape.kernel);
  for (const AttrSpec& spec : kConvolutionAttrs)
    result.set(std::string(spec.name), *attrs.find(spec.name));
  return result;
}

struct Rules {
  VjpContext& context;
  ConvolutionShape shape;

  Rules(VjpContext& given, OpKind kind) : context(given) {
    const std::vector<Type> types{given.builder.type(given.operands[0]),
                                  given.builder.type(given.operands[1])};
    shape = convolution_shape(kind, types, given.attrs);
  }
  /// Adds the cotangent of `operand`: `kind` of a and b.
  void add(size_t operand, OpKind kind, ValueId a, ValueId b) const {
    if (context.needs(operand))
      context.add(operand,
                  context.builder.add(kind, {a, b}, with_size(context.attrs, kind, shape)));
  }
};

}  // namespace

std::vector<Type> Conv::infer(const InferContext& context) {
  const ConvolutionShape shape = convolution_shape(OpKind::Conv, context.operands, context.attrs);
  return {{context.operands[0].dtype, shape.output_shape()}};
}

std::vector<Tensor> Conv::eval(const EvalContext& context) {
  return sum_products(OpKind::Conv, context,
                      [](const auto& a, const auto& b, auto& sums, size_t x, size_t kernel,
                         size_t y) { sums[y] += a[x] * b[kernel]; });
}

void Conv::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  const Rules rules(context, OpKind::Conv);
  const ValueId cotangent = *context.cotangents[0];
  rules.add(0, OpKind::ConvInput, cotangent, context.operands[1]);
  rules.add(1, OpKind::ConvKernel, context.operands[0], cotangent);
}

std::vector<Type> ConvInput::infer(const InferContext& context) {
  const ConvolutionShape shape =
      convolution_shape(OpKind::ConvInput, context.operands, context.attrs);
  return {{context.operands[0].dtype, shape.input_shape()}};
}

std::vector<Tensor> ConvInput::eval(const EvalContext& context) {
  return sum_products(OpKind::ConvInput, context,
                      [](const auto& a, const auto& b, auto& sums, size_t x, size_t kernel,
                         size_t y) { sums[x] += a[y] * b[kernel]; });
}

void ConvInput::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  const Rules rules(context, OpKind::ConvInput);
  const ValueId cotangent = *context.cotangents[0];
  rules.add(0, OpKind::Conv, cotangent, context.operands[1]);
  rules.add(1, OpKind::ConvKernel, cotangent, context.operands[0]);
}

std::vector<Type> ConvKernel::infer(const InferContext& context) {
  const ConvolutionShape shape =
      convolution_shape(OpKind::ConvKernel, context.operands, context.attrs);
  return {{context.operands[0].dtype, shape.kernel_shape()}};
}

std::vector<Tensor> ConvKernel::eval(const EvalContext& context) {
  return sum_products(OpKind::ConvKernel, context,
                      [](const auto& a, const auto& b, auto& sums, size_t x, size_t kernel,
                         size_t y) { sums[kernel] += a[x] * b[y]; });
}

void ConvKernel::vjp(VjpContext& context) {
  if (!context.cotangents[0]) return;
  const Rules rules(context, OpKind::ConvKernel);
  const ValueId cotangent = *context.cotangents[0];
  rules.add(0, OpKind::ConvInput, context.operands[1], cotangent);
  rules.add(1, OpKind::Conv, context.operands[0], cotangent);
}

}  // namespace gradc::ops
