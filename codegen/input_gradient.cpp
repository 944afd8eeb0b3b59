// Indices of the formula: see ConvolutionShape.
#include "codegen/input_gradient.h"

#include <algorithm>
#include <numeric>

#include "ir/builder.h"
#include "ir/convolution_shape.h"

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

bool are_ones(const Ints& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t value) { return value == 1; });
}

/// A body with one input and one result.
struct Body {
  explicit Body(const Type& type)
      : builder("body", GraphMode::Body), input(builder.input(InputKind::Operand, "a0", type)) {}

  Graph build(ValueId result) && {
    builder.output(OutputKind::Result, "r0", result);
    return std::move(builder).build();
  }

  GraphBuilder builder;
  ValueId input;
};

/// Position i of the result is reached from position i + low - k * dilation of the gradient: with
/// the kernel reversed, `reach` - low elements are missing before the first.
Graph pad_gradient(const ConvolutionShape& shape, const Type& gradient) {
  Body body(gradient);
  Ints low(shape.rank() + 2, 0), high = low;
  for (size_t k = 0; k < shape.rank(); ++k) {
    const int64_t reach = (shape.kernel[k] - 1) * shape.dilation[k];
    low[k + 1] = reach - shape.low[k];
    high[k + 1] = shape.input[k] + reach - shape.output[k] - low[k + 1];
  }
  const ValueId zero = body.builder.constant(Tensor::scalar(gradient.dtype, 0));
  const ValueId padded = body.builder.add(OpKind::Pad, {body.input, zero},
                                          {{"low", std::move(low)}, {"high", std::move(high)}});
  return std::move(body).build(padded);
}

Graph turn_kernel(const ConvolutionShape& shape, const Type& kernel) {
  Body body(kernel);
  Ints spatial(shape.rank());
  std::iota(spatial.begin(), spatial.end(), 0);
  Ints order = spatial;
  const auto rank = static_cast<int64_t>(shape.rank());
  order.insert(order.end(), {rank + 1, rank});
  const ValueId reversed = body.builder.add(OpKind::Reverse, {body.input}, {{"axes", spatial}});
  const ValueId turned = body.builder.transpose(reversed, order);
  return std::move(body).build(turned);
}

}  // namespace

std::optional<InputGradient> as_convolution(const Graph& body) {
  if (body.nodes().size() != 1 || body.outputs().size() != 1) return std::nullopt;
  const Node& node = body.nodes().front();
  if (node.kind != OpKind::ConvInput || body.producer(node.operands[0]) >= 0 ||
      body.producer(node.operands[1]) >= 0)
    return std::nullopt;
  const ConvolutionShape shape = convolution_shape(body, node);
  if (shape.groups != 1 || !are_ones(shape.stride)) return std::nullopt;
  for (size_t k = 0; k < shape.rank(); ++k) {
    const int64_t reach = (shape.kernel[k] - 1) * shape.dilation[k];
    const int64_t before = reach - shape.low[k];
    if (before < 0 || shape.input[k] == 0 || shape.input[k] + reach - shape.output[k] - before < 0)
      return std::nullopt;
  }
  InputGradient result{pad_gradient(shape, body.type(node.operands[0])),
                       turn_kernel(shape, body.type(node.operands[1])),
                       {}};
  GraphBuilder builder("body", GraphMode::Body);
  const auto result_type = [](const Graph& graph) { return graph.type(graph.outputs()[0].value); };
  const ValueId images = builder.input(InputKind::Operand, "a0", result_type(result.padded));
  const ValueId kernel = builder.input(InputKind::Operand, "a1", result_type(result.turned));
  builder.set_origin(node.origin);
  const Ints zeros(shape.rank(), 0), ones(shape.rank(), 1);
  const ValueId made = builder.add(OpKind::Conv, {images, kernel},
                                   {{"stride", ones},
                                    {"low", zeros},
                                    {"high", zeros},
                                    {"dilation", shape.dilation},
                                    {"groups", int64_t{1}}});
  builder.output(OutputKind::Result, "r0", made);
  result.convolution = std::move(builder).build();
  return result;
}

}  // namespace gradc
