// Reads and checks the operands and attributes of a convolution.
#include "ir/convolution_shape.h"

#include <algorithm>

#include "ir/ops/op_facts.h"

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMaxSpatialRank = 3;
constexpr int64_t kVector = 16;

Ints spatial(const Type& type) { return {type.shape.begin() + 1, type.shape.end() - 1}; }

void check_list(std::string_view op, std::string_view name, const Ints& list, size_t rank,
                int64_t least) {
  if (list.size() != rank)
    throw ops::attr_error(fmt::format("{}: {} [{}] does not give each of {} spatial axes a value",
                                      op, name, fmt::join(list, ", "), rank));
  for (int64_t number : list)
    if (number < least)
      throw ops::attr_error(fmt::format("{}: {} is [{}], at least {} is possible", op, name,
                                        fmt::join(list, ", "), least));
}

void check_operands(std::string_view op, const Type& a, const Type& b) {
  const int64_t rank = a.shape.rank() - 2;
  if (!is_float(a.dtype) || a.dtype != b.dtype)
    throw ops::dtype_error(
        fmt::format("{} takes floats of one dtype, not {} and {}", op, to_string(a), to_string(b)));
  if (rank < 1 || rank > kMaxSpatialRank || b.shape.rank() != a.shape.rank())
    throw ops::shape_error(
        fmt::format("{} of {} and {}: both have one to {} spatial axes between two others", op,
                    to_string(a), to_string(b), kMaxSpatialRank));
}

/// Fills in `output`.
void place_kernel(std::string_view op, ConvolutionShape& shape) {
  for (size_t axis = 0; axis < shape.rank(); ++axis) {
    const int64_t padded = shape.input[axis] + shape.low[axis] + shape.high[axis];
    const std::optional<int64_t> count =
        window_count(padded, shape.kernel[axis], shape.stride[axis], shape.dilation[axis]);
    if (!count)
      throw Error(ExitCode::ModelOrData, "E0406",
                  fmt::format("{}: a kernel of [{}] with dilation [{}] does not fit into [{}] "
                              "padded by [{}] and [{}]",
                              op, fmt::join(shape.kernel, ", "), fmt::join(shape.dilation, ", "),
                              fmt::join(shape.input, ", "), fmt::join(shape.low, ", "),
                              fmt::join(shape.high, ", ")));
    shape.output.push_back(*count);
  }
}

Shape joined(int64_t first, const Ints& middle, int64_t last) {
  Ints dims{first};
  dims.insert(dims.end(), middle.begin(), middle.end());
  dims.push_back(last);
  return Shape(std::move(dims));
}

}  // namespace

std::optional<int64_t> window_count(int64_t axis_size, int64_t size, int64_t stride,
                                    int64_t dilation) {
  if (size > 1 && dilation > axis_size / (size - 1)) return std::nullopt;
  const int64_t reach = (size - 1) * dilation + 1;
  if (reach > axis_size) return std::nullopt;
  return (axis_size - reach) / stride + 1;
}

bool has_few_products(const ConvolutionShape& shape) {
  int64_t products = shape.group_channels();
  for (int64_t size : shape.kernel) products *= size;
  return products > 0 && products <= kMaxShortProducts && shape.filters > 0 &&
         shape.filters % kVector == 0;
}

bool is_short_convolution(const ConvolutionShape& shape) {
  const auto is_wide = [](int64_t size) { return size > 1; };
  return has_few_products(shape) && std::any_of(shape.kernel.begin(), shape.kernel.end(), is_wide);
}

double ConvolutionShape::multiplications() const {
  double count = static_cast<double>(batch) * static_cast<double>(filters) *
                 static_cast<double>(group_channels());
  for (size_t axis = 0; axis < rank(); ++axis)
    count *= static_cast<double>(output[axis]) * static_cast<double>(kernel[axis]);
  return count;
}

Shape ConvolutionShape::input_shape() const { return joined(batch, input, channels); }
Shape ConvolutionShape::output_shape() const { return joined(batch, output, filters); }
Shape ConvolutionShape::kernel_shape() const {
  Ints dims = kernel;
  dims.push_back(group_channels());
  dims.push_back(filters);
  return Shape(std::move(dims));
}

ConvolutionShape convolution_shape(OpKind kind, std::span<const Type> operands,
                                   const Attrs& attrs) {
  const std::string_view op = op_info(kind).name;
  const Type& a = operands[0];
  const Type& b = operands[1];
  check_operands(op, a, b);
  const size_t rank = static_cast<size_t>(a.shape.rank()) - 2;
  ConvolutionShape shape;
  shape.groups = attrs.integer("groups");
  shape.stride = attrs.ints("stride");
  shape.low = attrs.ints("low");
  shape.high = attrs.ints("high");
  shape.dilation = attrs.ints("dilation");
  check_list(op, "stride", shape.stride, rank, 1);
  check_list(op, "dilation", shape.dilation, rank, 1);
  check_list(op, "low", shape.low, rank, 0);
  check_list(op, "high", shape.high, rank, 0);
  if (kind != OpKind::Conv) check_list(op, "size", attrs.ints("size"), rank, 0);
  if (shape.groups < 1) throw ops::attr_error(fmt::format("{}: {} groups", op, shape.groups));

  const int64_t last = a.shape.rank() - 1;
  const bool has_kernel = kind != OpKind::ConvKernel;
  shape.batch = a.shape[0];
  shape.filters = b.shape[last];
  shape.input = kind == OpKind::ConvInput ? attrs.ints("size") : spatial(a);
  shape.kernel = has_kernel ? Ints(b.shape.begin(), b.shape.end() - 2) : attrs.ints("size");
  shape.channels = kind == OpKind::ConvInput ? b.shape[last - 1] * shape.groups : a.shape[last];
  check_list(op, "the kernel's size", shape.kernel, rank, 1);
  const bool fits_groups = shape.channels % shape.groups == 0 &&
                           shape.filters % shape.groups == 0 &&
                           (!has_kernel || b.shape[last - 1] == shape.channels / shape.groups);
  if (!fits_groups)
    throw ops::shape_error(fmt::format(
        "{} of {} and {} in {} groups: each group has 1/{} of the channels of both sides", op,
        to_string(a), to_string(b), shape.groups, shape.groups));
  place_kernel(op, shape);
  if (kind == OpKind::Conv) return shape;
  const Type& output = kind == OpKind::ConvInput ? a : b;
  if (output.shape != shape.output_shape())
    throw ops::shape_error(fmt::format("{}: {} where the convolution of {} gives {}", op,
                                       to_string(output), to_string(shape.input_shape()),
                                       to_string(shape.output_shape())));
  return shape;
}

ConvolutionShape convolution_shape(const Graph& graph, const Node& node) {
  std::vector<Type> types;
  for (ValueId operand : node.operands) types.push_back(graph.type(operand));
  return convolution_shape(node.kind, types, node.attrs);
}

}  // namespace gradc
