// Windows and convolutions of tensors.
#include <algorithm>

#include "frontend/tensor_ops.h"
#include "ir/convolution_shape.h"

namespace gradc {

namespace {

using Ints = std::vector<int64_t>;

std::string by(const Ints& sizes) { return fmt::format("{}", fmt::join(sizes, " x ")); }

void check_ranks(const Type& x, const Type& kernel) {
  const int64_t rank = x.shape.rank();
  if (rank < 3 || rank > 5)
    throw Error(ExitCode::ModelOrData, "E0410",
                fmt::format("a convolution is over [batch, size…, channels] with one to three "
                            "sizes, got {}\nexpand(x, -1) adds a channel axis",
                            to_string(x)));
  if (kernel.shape.rank() != rank)
    throw Error(ExitCode::ModelOrData, "E0410",
                fmt::format("a kernel of rank {} is needed for {}, got {}", rank, to_string(x),
                            to_string(kernel)));
}

Ints kernel_sizes(const Type& kernel) { return {kernel.shape.begin(), kernel.shape.end() - 2}; }
Ints spatial_sizes(const Type& x) { return {x.shape.begin() + 1, x.shape.end() - 1}; }

/// Elements from the first to the last that a kernel meets.
int64_t reach(int64_t kernel, int64_t dilation) { return (kernel - 1) * dilation + 1; }

/// Fills in the padding of "same" for an input of these sizes.
void settle_padding(Sliding& sliding, const Ints& input, const Ints& kernel) {
  if (!sliding.is_same) return;
  sliding.low.clear();
  sliding.high.clear();
  for (size_t axis = 0; axis < input.size(); ++axis) {
    const int64_t stride = sliding.stride[axis];
    const int64_t places = (input[axis] + stride - 1) / stride;
    const int64_t needed =
        (places - 1) * stride + reach(kernel[axis], sliding.dilation[axis]) - input[axis];
    const int64_t total = std::max<int64_t>(needed, 0);
    sliding.low.push_back(total / 2);
    sliding.high.push_back(total - total / 2);
  }
}

void check_fit(const Sliding& sliding, const Ints& input, const Ints& kernel) {
  for (size_t axis = 0; axis < input.size(); ++axis) {
    const int64_t padded = input[axis] + sliding.low[axis] + sliding.high[axis];
    if (window_count(padded, kernel[axis], sliding.stride[axis], sliding.dilation[axis])) continue;
    const bool is_dilated = std::ranges::any_of(sliding.dilation, [](int64_t d) { return d != 1; });
    throw Error(
        ExitCode::ModelOrData, "E0406",
        fmt::format("a {} kernel{} does not fit an image of {}\npadding = \"same\", a "
                    "smaller kernel, or less pooling",
                    by(kernel),
                    is_dilated ? fmt::format(" with dilation {}", by(sliding.dilation)) : "",
                    by(input)));
  }
}

void check_channels(const Type& x, const Type& kernel, int64_t groups, int64_t kernel_axis) {
  const int64_t channels = x.shape[x.shape.rank() - 1];
  const int64_t expected =
      kernel.shape[kernel_axis] * (kernel_axis == kernel.shape.rank() - 2 ? groups : 1);
  const int64_t filters = kernel.shape[kernel.shape.rank() - 1];
  if (groups < 1 || channels % groups != 0 || filters % groups != 0)
    throw Error(ExitCode::ModelOrData, "E0404",
                fmt::format("{} groups do not divide the channels of {} and {}", groups,
                            to_string(x), to_string(kernel)));
  if (channels != expected)
    throw Error(ExitCode::ModelOrData, "E0401",
                fmt::format("{} channels of {} against {} of the kernel {}{}", channels,
                            to_string(x), expected, to_string(kernel),
                            groups == 1 ? "" : fmt::format(" in {} groups", groups)));
}

Attrs attrs_of(const Sliding& sliding) {
  return {{"stride", sliding.stride},
          {"low", sliding.low},
          {"high", sliding.high},
          {"dilation", sliding.dilation},
          {"groups", sliding.groups}};
}

}  // namespace

TensorId TensorOps::windows(TensorId a, Ints axes, Ints size, Ints stride, Ints dilation) {
  for (int64_t& axis : axes) axis = checked_axis(axis, type(a).shape.rank());
  for (size_t k = 0; k < axes.size() && k < size.size(); ++k)
    if (size[k] > type(a).shape[axes[k]])
      throw Error(ExitCode::ModelOrData, "E0406",
                  fmt::format("a window of {} does not fit axis {} of {}", size[k], axes[k],
                              to_string(type(a))));
  return draft_.add(OpKind::Windows, {a},
                    {{"axes", std::move(axes)},
                     {"size", std::move(size)},
                     {"stride", std::move(stride)},
                     {"dilation", std::move(dilation)}});
}

TensorId TensorOps::convolution(TensorId x, TensorId kernel, Sliding sliding) {
  meet_dtypes(OpKind::Mul, x, kernel);
  check_ranks(type(x), type(kernel));
  check_channels(type(x), type(kernel), sliding.groups, type(kernel).shape.rank() - 2);
  settle_padding(sliding, spatial_sizes(type(x)), kernel_sizes(type(kernel)));
  check_fit(sliding, spatial_sizes(type(x)), kernel_sizes(type(kernel)));
  return draft_.add(OpKind::Conv, {x, kernel}, attrs_of(sliding));
}

/// The size is that of the smallest image from which a convolution gives x, or x * stride where
/// padding is "same" or the kernel is shorter than its stride, as in Keras.
TensorId TensorOps::convolution_transpose(TensorId x, TensorId kernel, Sliding sliding) {
  meet_dtypes(OpKind::Mul, x, kernel);
  check_ranks(type(x), type(kernel));
  check_channels(type(x), type(kernel), sliding.groups, type(kernel).shape.rank() - 1);
  const Ints places = spatial_sizes(type(x));
  const Ints window = kernel_sizes(type(kernel));
  Ints size;
  for (size_t axis = 0; axis < places.size(); ++axis) {
    const int64_t stride = sliding.stride[axis];
    const int64_t rest = std::max<int64_t>(reach(window[axis], sliding.dilation[axis]) - stride, 0);
    const int64_t cut = sliding.is_same ? rest : sliding.low[axis] + sliding.high[axis];
    size.push_back(std::max<int64_t>(places[axis] * stride + rest - cut, 0));
  }
  settle_padding(sliding, size, window);
  check_fit(sliding, size, window);
  Attrs attrs{{"size", std::move(size)}};
  const Attrs others = attrs_of(sliding);
  for (const auto& [name, value] : others.entries()) attrs.set(name, value);
  return draft_.add(OpKind::ConvInput, {x, kernel}, std::move(attrs));
}

int64_t TensorOps::convolution_products(TensorId result) const {
  const DraftNode* node = draft_.node(result);
  CHECK(node != nullptr && is_convolution(node->kind));
  const std::vector<Type> types{type(node->operands[0]), type(node->operands[1])};
  return static_cast<int64_t>(convolution_shape(node->kind, types, node->attrs).multiplications());
}

}  // namespace gradc
