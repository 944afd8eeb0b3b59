// Padding and windows are made by ops of their own.
#include "passes/short_convolutions.h"

#include <algorithm>
#include <numeric>

#include "ir/accumulator_dtype.h"
#include "ir/builder.h"
#include "ir/convolution_pattern.h"

namespace gradc {
namespace {

/// Rows that threads can share, and products of a sum that is worth a stage.
constexpr int64_t kMinRows = 16;
constexpr int64_t kMinPlaces = 16;

using Ints = std::vector<int64_t>;

bool is_padded(const ConvolutionShape& shape) {
  return std::any_of(shape.low.begin(), shape.low.end(), [](int64_t n) { return n > 0; }) ||
         std::any_of(shape.high.begin(), shape.high.end(), [](int64_t n) { return n > 0; });
}

/// The images with the convolution's padding.
ValueId pad_images(GraphBuilder& builder, ValueId images, const ConvolutionShape& shape) {
  if (!is_padded(shape)) return images;
  Ints low(shape.rank() + 2, 0), high = low;
  std::copy(shape.low.begin(), shape.low.end(), low.begin() + 1);
  std::copy(shape.high.begin(), shape.high.end(), high.begin() + 1);
  const ValueId zero = builder.constant(Tensor::scalar(builder.dtype(images), 0));
  return builder.add(OpKind::Pad, {images, zero},
                     {{"low", std::move(low)}, {"high", std::move(high)}});
}

std::optional<ValueId> pad_beforehand(GraphBuilder& builder, const Node& node,
                                      const ConvolutionShape& shape, ValueId images,
                                      ValueId kernel) {
  if (!is_padded(shape)) return std::nullopt;
  Attrs attrs = node.attrs;
  attrs.set("low", Ints(shape.rank(), 0));
  attrs.set("high", Ints(shape.rank(), 0));
  return builder.add(OpKind::Conv, {pad_images(builder, images, shape), kernel}, std::move(attrs));
}

/// Axes first, first + step, ..., one for each spatial axis.
Ints spatial_axes(const ConvolutionShape& shape, int64_t first, int64_t step) {
  Ints axes;
  for (size_t k = 0; k < shape.rank(); ++k) axes.push_back(first + step * static_cast<int64_t>(k));
  return axes;
}

std::optional<ValueId> sum_by_rows(GraphBuilder& builder, const ConvolutionShape& shape,
                                   ValueId images, ValueId gradient) {
  int64_t places = 1;
  for (int64_t size : shape.output) places *= size;
  if (shape.groups != 1 || shape.batch < kMinRows || places < kMinPlaces) return std::nullopt;
  const DType dtype = builder.dtype(images);
  images = builder.convert(images, accumulator_dtype(dtype));
  gradient = builder.convert(gradient, accumulator_dtype(dtype));
  const ValueId windows = builder.add(OpKind::Windows, {pad_images(builder, images, shape)},
                                      {{"axes", spatial_axes(shape, 1, 1)},
                                       {"size", shape.kernel},
                                       {"stride", shape.stride},
                                       {"dilation", shape.dilation}});
  // [row, place, in window, place, in window, ..., channel] and [row, place, place, ..., filter]
  const ValueId by_row = builder.add(OpKind::Dot, {windows, gradient},
                                     {{"lhs_batch", Ints{0}},
                                      {"rhs_batch", Ints{0}},
                                      {"lhs_contract", spatial_axes(shape, 1, 2)},
                                      {"rhs_contract", spatial_axes(shape, 1, 1)}});
  return builder.convert(builder.reduce(OpKind::Sum, by_row, {0}), dtype);
}

std::optional<ValueId> rewrite(GraphBuilder& builder, const Graph& graph, const Node& node,
                               std::span<const ValueId> operands) {
  if (node.kind != OpKind::Conv && node.kind != OpKind::ConvKernel) return std::nullopt;
  const ConvolutionShape shape = convolution_shape(graph, node);
  const bool is_short = is_short_convolution(shape);
  if (is_short && node.kind == OpKind::Conv)
    return pad_beforehand(builder, node, shape, operands[0], operands[1]);
  const bool wants_loops = is_short || !suits_library(OpKind::ConvKernel, shape);
  if (node.kind == OpKind::ConvKernel && wants_loops && has_few_products(shape))
    return sum_by_rows(builder, shape, operands[0], operands[1]);
  return std::nullopt;
}

}  // namespace

Graph short_convolutions(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    rewriter.builder().set_origin(node.origin);
    const std::vector<ValueId> operands = rewriter.map(node.operands);
    if (const std::optional<ValueId> value = rewrite(rewriter.builder(), graph, node, operands)) {
      rewriter.replace(node.results[0], *value);
    } else {
      rewriter.copy(node);
    }
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
