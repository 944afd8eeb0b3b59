// The sizes of a convolution: what its three ops, their loops and the library call agree on.
#pragma once
#include "ir/op.h"

namespace gradc {

/// out[n, t, o] = sum over k, c of x[n, t * stride + k * dilation - low, c] * kernel[k, c, o].
/// Lists have one entry per spatial axis. With groups, filter o meets only the channels of its
/// group: o / (filters / groups) == c / (channels / groups).
struct ConvolutionShape {
  int64_t batch = 0;
  int64_t channels = 0;  // of the input
  int64_t filters = 0;   // channels of the output
  int64_t groups = 1;
  std::vector<int64_t> input, kernel, output;  // spatial sizes
  std::vector<int64_t> stride, low, high, dilation;

  size_t rank() const { return input.size(); }
  int64_t group_channels() const { return channels / groups; }
  int64_t group_filters() const { return filters / groups; }
  /// Products of the formula; those with padding count.
  double multiplications() const;

  Shape input_shape() const;
  Shape kernel_shape() const;
  Shape output_shape() const;
};

inline bool is_convolution(OpKind kind) {
  return kind == OpKind::Conv || kind == OpKind::ConvInput || kind == OpKind::ConvKernel;
}

/// The most products that are written out: those of three channels with a kernel of 3x3. The sums
/// of the kernel gradient, one for each of them, just fit into the registers of AVX-512.
inline constexpr int64_t kMaxShortProducts = 27;

/// Is each element of the result a sum of few products, as with one channel, and do the filters
/// fill vectors?
bool has_few_products(const ConvolutionShape& shape);

/// Has it few products and windows of several elements? Loops compute it as fast as the library;
/// the products are written out where the element is needed, so that it is no reduction and what
/// reads it can be computed in the same loops. (With a window of one element it is a matrix
/// product.) Its kernel gradient is a sum of products of windows (passes/short_convolutions).
bool is_short_convolution(const ConvolutionShape& shape);

/// The shape of a node of one of the three kinds. Throws Error where the operands do not fit; E0406
/// where the kernel does not fit into the padded input.
ConvolutionShape convolution_shape(OpKind kind, std::span<const Type> operands, const Attrs& attrs);
ConvolutionShape convolution_shape(const Graph& graph, const Node& node);

/// Places of a window of `size` elements, `dilation` apart, every `stride` elements of an axis;
/// nothing where it does not fit.
std::optional<int64_t> window_count(int64_t axis_size, int64_t size, int64_t stride,
                                    int64_t dilation);

}  // namespace gradc
