// Terms of windows and convolutions: positions that lie in the padding are guarded.
#include <algorithm>
#include <numeric>

#include "ir/accumulator_dtype.h"
#include "ir/convolution_shape.h"
#include "ir/iteration_terms.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// Filters (of a group) from which the transposed convolution runs its lanes over them.
constexpr int64_t kMinHorizontalFilters = 8;

/// The smallest and the largest value of a map.
std::pair<int64_t, int64_t> range_of(const AffineMap& map, const std::vector<int64_t>& extents) {
  std::pair<int64_t, int64_t> range{map.offset, map.offset};
  for (size_t d = 0; d < extents.size(); ++d) {
    const int64_t reach = map.strides[d] * std::max<int64_t>(extents[d] - 1, 0);
    (reach < 0 ? range.first : range.second) += reach;
  }
  return range;
}

}  // namespace

/// Kept axes are those of the result. Reduced: the window and the channels of a group (conv), the
/// window and the filters of a group (conv_input), rows and places (conv_kernel), in this order.
std::vector<int64_t> convolution_reduced_sizes(const ConvolutionShape& shape, OpKind kind) {
  std::vector<int64_t> sizes = shape.kernel;
  if (kind == OpKind::ConvKernel) {
    sizes = shape.output;
    sizes.insert(sizes.begin(), shape.batch);
  } else {
    sizes.push_back(kind == OpKind::Conv ? shape.group_channels() : shape.group_filters());
  }
  return sizes;
}

ReductionForm convolution_form(const Graph& body, const Node& node) {
  const ConvolutionShape shape = convolution_shape(body, node);
  ReductionForm form;
  for (int64_t size : convolution_reduced_sizes(shape, node.kind)) form.count *= size;
  form.is_horizontal = node.kind == OpKind::ConvInput && form.count > 0 &&
                       shape.group_filters() >= kMinHorizontalFilters;
  if (form.is_horizontal) form.last_run = shape.group_filters();
  return form;
}

/// Each pair of axes of the windows is an affine place on one axis of the operand.
TermId TermBuilder::demand_windows(const Node& node, const ElementIndex& at) {
  const std::vector<int64_t>& axes = node.attrs.ints("axes");
  ElementIndex from;
  size_t next = 0;
  for (size_t axis = 0; axis < at.size(); ++axis) {
    if (next == axes.size() || from.size() != static_cast<size_t>(axes[next])) {
      from.push_back(at[axis]);
      continue;
    }
    AxisIndex place = zero_index();
    for (const auto& [part, step] : {std::pair(axis, node.attrs.ints("stride")[next]),
                                     std::pair(axis + 1, node.attrs.ints("dilation")[next])}) {
      add_scaled(place.map, at[part].map, step);
      for (TermIndirection indirection : at[part].indirections) {
        indirection.stride *= step;
        place.indirections.push_back(indirection);
      }
    }
    from.push_back(std::move(place));
    ++axis;
    ++next;
  }
  return demand(node.operands[0], from);
}

/// The place map / divisor on an axis of `size` elements. Where it may lie outside or between two
/// elements, it is clamped and the conditions of a real element are added to `conditions`.
AxisIndex TermBuilder::guarded_axis(const AffineMap& map, int64_t divisor, int64_t size,
                                    std::vector<TermId>& conditions) {
  const auto [low, high] = range_of(map, extents_);
  if (divisor == 1 && low >= 0 && high < size) return {map, {}};
  const auto number = [&](int64_t value) {
    return literal(DType::I64, static_cast<double>(value));
  };
  Term iota{.kind = TermKind::Iota, .dtype = DType::I64};
  iota.position = map;
  TermId place = intern(std::move(iota));
  if (divisor != 1) {
    const TermId rest = apply(OpKind::Mod, DType::I64, {place, number(divisor)});
    conditions.push_back(apply(OpKind::Equal, DType::Bool, {rest, number(0)}));
    place = apply(OpKind::FloorDiv, DType::I64, {place, number(divisor)});
  }
  if (low < 0) conditions.push_back(apply(OpKind::GreaterEqual, DType::Bool, {place, number(0)}));
  if (high >= size * divisor)
    conditions.push_back(apply(OpKind::Less, DType::Bool, {place, number(size)}));
  AxisIndex axis = zero_index();
  axis.indirections.push_back({place, size, 1});
  return axis;
}

/// Element `at` of `value` where all conditions hold, else 0.
TermId TermBuilder::demand_guarded(ValueId value, const ElementIndex& at,
                                   const std::vector<TermId>& conditions) {
  const Type& type = body_.type(value);
  if (type.shape.element_count() == 0) return literal(type.dtype, 0);
  const TermId element = demand(value, at);
  if (has_failed() || conditions.empty()) return element;
  TermId all = conditions[0];
  for (size_t k = 1; k < conditions.size(); ++k)
    all = apply(OpKind::And, DType::Bool, {all, conditions[k]});
  return apply(OpKind::Select, type.dtype, {all, element, literal(type.dtype, 0)});
}

/// The group and the index in it of a channel.
std::optional<ElementIndex> TermBuilder::split_groups(const AxisIndex& channel, int64_t groups,
                                                      int64_t size) {
  if (groups * size == 0) return ElementIndex{zero_index(), zero_index()};
  return split_linear(channel.map, {groups, size});
}

/// The two factors of the product at `reduced` of element `at`.
std::optional<std::pair<TermId, TermId>> TermBuilder::convolution_factors(
    const Node& node, const ElementIndex& at, const ElementIndex& reduced) {
  const ConvolutionShape shape = convolution_shape(body_, node);
  const size_t rank = shape.rank();
  const bool is_conv = node.kind == OpKind::Conv;
  const bool is_kernel = node.kind == OpKind::ConvKernel;
  // The indices of the trilinear form: rows, windows, places in the input or output, channels.
  const AxisIndex& row = is_kernel ? reduced.front() : at.front();
  const auto window = (is_kernel ? at : reduced).begin();
  const auto place = (is_kernel ? reduced : at).begin() + 1;
  const bool splits_channels = node.kind == OpKind::ConvInput;
  const auto parts = splits_channels ? split_groups(at.back(), shape.groups, shape.group_channels())
                                     : split_groups(at.back(), shape.groups, shape.group_filters());
  if (!parts) return std::nullopt;
  const AxisIndex& inner = is_kernel ? at[rank] : reduced.back();  // on the other side's channels
  AxisIndex other = zero_index();
  add_scaled(other.map, (*parts)[0].map,
             splits_channels ? shape.group_filters() : shape.group_channels());
  add_scaled(other.map, inner.map, 1);

  ElementIndex lhs{row};
  std::vector<TermId> conditions;
  for (size_t axis = 0; axis < rank; ++axis) {
    const auto step = static_cast<std::ptrdiff_t>(axis);
    AffineMap map = constant_map(dims_.size());
    if (splits_channels) {
      map.offset = shape.low[axis];
      add_scaled(map, (place + step)->map, 1);
      add_scaled(map, (window + step)->map, -shape.dilation[axis]);
      lhs.push_back(guarded_axis(map, shape.stride[axis], shape.output[axis], conditions));
    } else {
      map.offset = -shape.low[axis];
      add_scaled(map, (place + step)->map, shape.stride[axis]);
      add_scaled(map, (window + step)->map, shape.dilation[axis]);
      lhs.push_back(guarded_axis(map, 1, shape.input[axis], conditions));
    }
  }
  lhs.push_back(other);
  ElementIndex rhs;
  if (is_kernel) {
    rhs.assign(reduced.begin(), reduced.end());
    rhs.push_back(at.back());
  } else {
    rhs.assign(window, window + static_cast<std::ptrdiff_t>(rank));
    rhs.push_back(is_conv ? reduced.back() : (*parts)[1]);
    rhs.push_back(is_conv ? at.back() : other);
  }
  if (has_failed()) return std::nullopt;
  const TermId a = demand_guarded(node.operands[0], lhs, conditions);
  const TermId b = demand(node.operands[1], rhs);
  return std::pair(a, b);
}

TermId TermBuilder::demand_convolution(ValueId value, const Node& node, const ElementIndex& at) {
  const ConvolutionShape shape = convolution_shape(body_, node);
  if (node.kind == OpKind::Conv && is_short_convolution(shape))
    return demand_short_convolution(value, node, at);
  if (!is_reducible_at(node, at, body_.type(value).shape)) return 0;
  const auto reduced = reduced_index(convolution_reduced_sizes(shape, node.kind));
  if (!reduced) return 0;
  const auto factors = convolution_factors(node, at, *reduced);
  return factors ? finish_product(value, factors->first, factors->second) : 0;
}

/// The products one after the other, in the order in which loops would add them up.
TermId TermBuilder::demand_short_convolution(ValueId value, const Node& node,
                                             const ElementIndex& at) {
  const bool is_indirect = std::any_of(
      at.begin(), at.end(), [](const AxisIndex& axis) { return !axis.indirections.empty(); });
  if (is_indirect) return fail("an element of a convolution is looked up");
  const DType dtype = accumulator_dtype(body_.type(value).dtype);
  const std::vector<int64_t> sizes =
      convolution_reduced_sizes(convolution_shape(body_, node), node.kind);
  Term term{.kind = TermKind::Products, .dtype = dtype, .op = OpKind::Sum};
  term.accumulator = dtype;
  term.position = constant_map(dims_.size());
  ElementIndex place(sizes.size(), zero_index());
  const int64_t count = Shape(sizes).element_count();
  for (int64_t k = 0; k < count; ++k) {
    int64_t rest = k;
    for (size_t axis = sizes.size(); axis-- > 0; rest /= sizes[axis])
      place[axis].map.offset = rest % sizes[axis];
    const auto factors = convolution_factors(node, at, place);
    if (!factors) return 0;
    term.operands.push_back(convert(factors->first, dtype));
    term.operands.push_back(convert(factors->second, dtype));
    if (has_failed()) return 0;
  }
  return convert(intern(std::move(term)), body_.type(value).dtype);
}

}  // namespace gradc
