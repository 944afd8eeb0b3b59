// Plans the nests of a group: one domain for pointwise and reduced values, pieces for the ops that
// store their result in parts.
#include "ir/iteration.h"

#include <algorithm>
#include <cstring>

#include "ir/axis_classes.h"
#include "ir/convolution_shape.h"
#include "ir/iteration_nest.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// Bounds the depth of the walk back from the results.
constexpr size_t kMaxBodyNodes = 2048;

using Analysis = std::variant<GroupAnalysis, std::string>;

bool is_reduction(const Graph& body, const Node& node) {
  if (node.kind == OpKind::Conv) return !is_short_convolution(convolution_shape(body, node));
  if (is_convolution(node.kind)) return true;
  return op_class(node.kind) == OpClass::Reduction || op_class(node.kind) == OpClass::Contraction;
}
bool is_stored_in_pieces(OpKind kind) {
  return kind == OpKind::Pad || kind == OpKind::Concat || kind == OpKind::ScatterAdd ||
         kind == OpKind::FoldWindows;
}

/// The loops of one value: all its axes, kept.
NestPlan plan_over(const Shape& shape) {
  NestPlan plan;
  for (int64_t size : shape) plan.source_dims.push_back({size, false});
  return plan;
}

/// Stores all of `value` (of this shape) with these output strides.
NestRoot root_over(const Shape& shape, ValueId value, std::vector<int64_t> strides) {
  NestRoot root{.value = value, .strides = std::move(strides)};
  for (int64_t axis = 0; axis < shape.rank(); ++axis)
    root.source_dims.push_back(shape[axis] == 1 ? std::vector<int32_t>{}
                                                : std::vector{static_cast<int32_t>(axis)});
  return root;
}

std::string append_nest(GroupAnalysis& analysis, const Graph& body, const NestPlan& plan) {
  std::variant<Nest, std::string> nest = build_nest(body, plan);
  if (auto* why_not = std::get_if<std::string>(&nest)) return std::move(*why_not);
  analysis.nests.push_back(std::move(std::get<Nest>(nest)));
  return {};
}

std::string append_simple_nest(GroupAnalysis& analysis, const Graph& body, const Shape& shape,
                               NestRoot root) {
  NestPlan plan = plan_over(shape);
  plan.roots.push_back(std::move(root));
  return append_nest(analysis, body, plan);
}

Analysis analyze_concat(const Graph& body, const Node& node) {
  GroupAnalysis analysis;
  const std::vector<int64_t> strides = body.type(node.results[0]).shape.strides();
  const int64_t axis = node.attrs.integer("axis");
  int64_t offset = 0;
  for (ValueId operand : node.operands) {
    const Shape& shape = body.type(operand).shape;
    NestRoot root = root_over(shape, operand, strides);
    root.offset = offset;
    offset += shape[axis] * strides[static_cast<size_t>(axis)];
    std::string why_not = append_simple_nest(analysis, body, shape, std::move(root));
    if (!why_not.empty()) return why_not;
  }
  return analysis;
}

/// A copy of the base, then a nest that walks the indices in order inside parallel loops over the
/// other axes.
Analysis analyze_scatter_add(const Graph& body, const Node& node) {
  GroupAnalysis analysis;
  const Shape& out = body.type(node.results[0]).shape;
  const std::vector<int64_t> strides = out.strides();
  std::string why_not =
      append_simple_nest(analysis, body, out, root_over(out, node.operands[0], strides));
  if (!why_not.empty()) return why_not;
  const Shape& updates = body.type(node.operands[2]).shape;
  const auto axis = static_cast<size_t>(node.attrs.integer("axis"));
  const auto index_rank = static_cast<size_t>(body.type(node.operands[1]).shape.rank());
  NestPlan plan;
  NestRoot root{.value = node.operands[2]};
  root.source_dims.resize(static_cast<size_t>(updates.rank()));
  root.strides.assign(root.source_dims.size(), 0);
  root.scatter = {node.operands[1], axis, out[static_cast<int64_t>(axis)], strides[axis]};
  const auto add_loop = [&](size_t k, bool reduced) {
    const int64_t size = updates[static_cast<int64_t>(k)];
    if (size != 1) root.source_dims[k] = {static_cast<int32_t>(plan.source_dims.size())};
    plan.source_dims.push_back({size, reduced});
  };
  for (size_t k = 0; k < root.source_dims.size(); ++k) {
    if (k >= axis && k < axis + index_rank) continue;
    root.strides[k] = k < axis ? strides[k] : strides[k + 1 - index_rank];
    add_loop(k, false);
  }
  for (size_t k = axis; k < axis + index_rank; ++k) add_loop(k, true);
  plan.roots.push_back(std::move(root));
  why_not = append_nest(analysis, body, plan);
  if (!why_not.empty()) return why_not;
  return analysis;
}

/// Zeros, then a nest that walks the windows in order inside parallel loops over the other axes.
Analysis analyze_fold_windows(const Graph& body, const Node& node) {
  GroupAnalysis analysis;
  const Shape& out = body.type(node.results[0]).shape;
  const std::vector<int64_t> strides = out.strides();
  NestRoot zeros = root_over(out, node.operands[0], strides);
  zeros.is_zero = true;
  std::string why_not = append_simple_nest(analysis, body, out, std::move(zeros));
  const Shape& in = body.type(node.operands[0]).shape;
  const std::vector<int64_t>& axes = node.attrs.ints("axes");
  std::vector<bool> is_window;  // by axis of the operand
  NestRoot root{.value = node.operands[0], .adds = true};
  for (int64_t axis = 0, next = 0; axis < out.rank(); ++axis) {
    const int64_t stride = strides[static_cast<size_t>(axis)];
    const auto k = static_cast<size_t>(next);
    if (k == axes.size() || axes[k] != axis) {
      root.strides.push_back(stride);
      is_window.push_back(false);
      continue;
    }
    root.strides.push_back(stride * node.attrs.ints("stride")[k]);
    root.strides.push_back(stride * node.attrs.ints("dilation")[k]);
    is_window.insert(is_window.end(), 2, true);
    ++next;
  }
  NestPlan plan;
  root.source_dims.resize(is_window.size());
  for (const bool reduced : {false, true})
    for (size_t axis = 0; axis < is_window.size(); ++axis) {
      const int64_t size = in[static_cast<int64_t>(axis)];
      if (is_window[axis] != reduced) continue;
      if (size != 1) root.source_dims[axis] = {static_cast<int32_t>(plan.source_dims.size())};
      plan.source_dims.push_back({size, reduced});
    }
  plan.roots.push_back(std::move(root));
  if (why_not.empty()) why_not = append_nest(analysis, body, plan);
  if (!why_not.empty()) return why_not;
  return analysis;
}

/// The domain all roots share: that of the first reduction, else that of the largest root.
struct Anchor {
  NestPlan plan;
  std::vector<std::pair<ValueId, int64_t>> axes;  // by source dim
};

Anchor find_anchor(const Graph& body, const std::vector<ValueId>& roots) {
  Anchor anchor;
  const auto add_dim = [&](ValueId value, int64_t axis, bool reduced) {
    anchor.plan.source_dims.push_back({body.type(value).shape[axis], reduced});
    anchor.axes.emplace_back(value, axis);
  };
  for (const Node& node : body.nodes()) {
    if (!is_reduction(body, node)) continue;
    const ValueId result = node.results[0];
    const std::vector<bool> is_written = written_out_axes(body, node);
    for (int64_t axis = 0; axis < body.type(result).shape.rank(); ++axis)
      if (is_written.empty() || !is_written[static_cast<size_t>(axis)])
        add_dim(result, axis, false);
    anchor.plan.form = reduction_form(body, node);
    if (is_convolution(node.kind)) {
      // No other value runs over these loops: the axis named for them is never found.
      const ConvolutionShape shape = convolution_shape(body, node);
      for (int64_t size : convolution_reduced_sizes(shape, node.kind)) {
        anchor.plan.source_dims.push_back({size, true});
        anchor.axes.emplace_back(result, -1);
      }
      return anchor;
    }
    std::vector<int64_t> axes = node.attrs.ints(node.kind == OpKind::Dot ? "lhs_contract" : "axes");
    if (node.kind != OpKind::Dot) std::sort(axes.begin(), axes.end());
    for (int64_t axis : axes) add_dim(node.operands[0], axis, true);
    return anchor;
  }
  ValueId largest = roots[0];
  for (ValueId root : roots)
    if (body.type(root).shape.element_count() > body.type(largest).shape.element_count())
      largest = root;
  for (int64_t axis = 0; axis < body.type(largest).shape.rank(); ++axis)
    add_dim(largest, axis, false);
  return anchor;
}

/// The unused source dim that runs with this axis.
std::optional<int32_t> find_dim(const Anchor& anchor, const AxisClasses& classes, ValueId value,
                                int64_t axis, int64_t size, std::vector<bool>& is_used) {
  for (size_t s = 0; s < anchor.axes.size(); ++s) {
    const auto [anchor_value, anchor_axis] = anchor.axes[s];
    if (is_used[s] || anchor_axis < 0 || anchor.plan.source_dims[s].extent != size ||
        classes.class_of(anchor_value, anchor_axis) != classes.class_of(value, axis))
      continue;
    is_used[s] = true;
    return static_cast<int32_t>(s);
  }
  return std::nullopt;
}

/// The axes first, first + 1, ... of `split` whose sizes make up `size`; empty if none do.
std::vector<int64_t> parts_of(const Shape& split, int64_t& first, int64_t size) {
  if (first < split.rank() && split[first] == size) return {first++};
  std::vector<int64_t> parts;
  for (int64_t product = 1; product < size && first < split.rank(); ++first) {
    product *= split[first];
    parts.push_back(first);
    if (product == size) return ++first, parts;
  }
  return {};
}

/// Ties the axes of `value` through a reshape that joins the axes of `split` to those of a value
/// that runs with it: an axis may so run over several loops.
std::optional<NestRoot> tie_split_root(const Anchor& anchor, const AxisClasses& classes,
                                       ValueId value, const Shape& shape, ValueId split,
                                       const Shape& split_shape) {
  NestRoot root{.value = value, .strides = shape.strides()};
  std::vector<bool> is_used(anchor.axes.size(), false);
  int64_t next = 0;
  for (int64_t size : shape) {
    while (next < split_shape.rank() && split_shape[next] == 1) ++next;
    std::vector<int32_t> sources;
    if (size != 1) {
      const std::vector<int64_t> parts = parts_of(split_shape, next, size);
      if (parts.empty()) return std::nullopt;
      for (int64_t part : parts) {
        if (split_shape[part] == 1) continue;
        const auto dim = find_dim(anchor, classes, split, part, split_shape[part], is_used);
        if (!dim) return std::nullopt;
        sources.push_back(*dim);
      }
    }
    root.source_dims.push_back(std::move(sources));
  }
  return root;
}

/// Do these values of one shape run together on all axes?
bool run_together(const AxisClasses& classes, const Shape& shape, ValueId a, ValueId b) {
  for (int64_t axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] != 1 && classes.class_of(a, axis) != classes.class_of(b, axis)) return false;
  return true;
}

/// Ties the axes of a stored value to loops. Any one-to-one choice gives right code; the classes
/// find the one that can be fused.
std::optional<NestRoot> tie_root(const Graph& body, const Anchor& anchor,
                                 const AxisClasses& classes, ValueId value) {
  const Shape& shape = body.type(value).shape;
  if (auto root = tie_split_root(anchor, classes, value, shape, value, shape)) return root;
  for (const Node& node : body.nodes()) {
    if (node.kind != OpKind::Reshape || shape.element_count() == 0) continue;
    for (const auto& [joined, split] : {std::pair(node.results[0], node.operands[0]),
                                        std::pair(node.operands[0], node.results[0])}) {
      if (body.type(joined).shape != shape || !run_together(classes, shape, joined, value))
        continue;
      if (auto root = tie_split_root(anchor, classes, value, shape, split, body.type(split).shape))
        return root;
    }
  }
  return std::nullopt;
}

/// tie_root(), once for each point of the axes that are written out.
std::vector<NestRoot> tie_roots(const Graph& body, const Anchor& anchor, const AxisClasses& classes,
                                ValueId value) {
  const Node* node = body.defining_node(value);
  const std::vector<bool> is_written =
      node == nullptr ? std::vector<bool>{} : written_out_axes(body, *node);
  if (is_written.empty()) {
    const std::optional<NestRoot> root = tie_root(body, anchor, classes, value);
    return root ? std::vector{*root} : std::vector<NestRoot>{};
  }
  const Shape& shape = body.type(value).shape;
  std::vector<int64_t> looped = shape.dims(), written(looped.size(), 1);
  for (size_t axis = 0; axis < looped.size(); ++axis)
    if (is_written[axis]) std::swap(looped[axis], written[axis]);
  std::optional<NestRoot> root =
      tie_split_root(anchor, classes, value, Shape(looped), value, Shape(looped));
  if (!root) return {};
  root->strides = shape.strides();
  std::vector<NestRoot> roots(static_cast<size_t>(Shape(written).element_count()), *root);
  for (size_t r = 0; r < roots.size(); ++r) {
    auto rest = static_cast<int64_t>(r);
    roots[r].fixed.resize(written.size());
    for (size_t axis = written.size(); axis-- > 0; rest /= written[axis])
      roots[r].fixed[axis] = rest % written[axis];
  }
  return roots;
}

/// One nest for all roots; `place` moves each to where it is stored.
template <typename Place>
std::string append_anchored_nest(GroupAnalysis& analysis, const Graph& body,
                                 const std::vector<ValueId>& roots, Place place) {
  Anchor anchor = find_anchor(body, roots);
  const AxisClasses classes(body);
  for (size_t i = 0; i < roots.size(); ++i) {
    std::vector<NestRoot> tied = tie_roots(body, anchor, classes, roots[i]);
    if (tied.empty()) return "the results do not run over the same loops";
    for (NestRoot& root : tied) {
      place(root, i);
      anchor.plan.roots.push_back(std::move(root));
    }
  }
  return append_nest(analysis, body, anchor.plan);
}

/// The padding everywhere, then what lies inside it.
Analysis analyze_pad(const Graph& body, const Node& node) {
  GroupAnalysis analysis;
  const Shape& out = body.type(node.results[0]).shape;
  NestRoot fill = root_over(out, node.operands[1], out.strides());
  fill.is_fill = true;
  std::string why_not = append_simple_nest(analysis, body, out, std::move(fill));
  const auto move_inside = [&](NestRoot& root, size_t) {
    root.strides = out.strides();
    for (size_t axis = 0; axis < root.strides.size(); ++axis)
      root.offset += node.attrs.ints("low")[axis] * root.strides[axis];
  };
  if (why_not.empty())
    why_not = append_anchored_nest(analysis, body, {node.operands[0]}, move_inside);
  if (!why_not.empty()) return why_not;
  return analysis;
}

}  // namespace

Analysis analyze_group(const Graph& body) {
  if (body.outputs().empty()) return std::string("it has no result");
  if (body.nodes().size() > kMaxBodyNodes) return std::string("it has too many nodes");
  for (const Node& node : body.nodes()) {
    if (!is_stored_in_pieces(node.kind)) continue;
    if (body.outputs().size() != 1 || body.outputs()[0].value != node.results[0])
      return fmt::format("{} is stored in pieces and must be the only result",
                         op_info(node.kind).name);
    if (node.kind == OpKind::Pad) return analyze_pad(body, node);
    if (node.kind == OpKind::Concat) return analyze_concat(body, node);
    if (node.kind == OpKind::FoldWindows) return analyze_fold_windows(body, node);
    return analyze_scatter_add(body, node);
  }
  std::vector<ValueId> roots;
  for (const Output& output : body.outputs()) roots.push_back(output.value);
  GroupAnalysis analysis;
  std::string why_not = append_anchored_nest(
      analysis, body, roots,
      [](NestRoot& root, size_t position) { root.output = static_cast<int32_t>(position); });
  if (!why_not.empty()) return why_not;
  return analysis;
}

std::optional<Tensor> uniform_element(const Tensor& tensor) {
  if (tensor.is_empty()) return std::nullopt;
  const int64_t bytes = size_bytes(tensor.dtype());
  const bool is_uniform = tensor.size_bytes() == bytes ||
                          std::memcmp(tensor.raw(), tensor.raw() + bytes,
                                      static_cast<size_t>(tensor.size_bytes() - bytes)) == 0;
  if (!is_uniform) return std::nullopt;
  Tensor scalar(tensor.dtype(), Shape{});
  std::memcpy(scalar.raw(), tensor.raw(), static_cast<size_t>(bytes));
  return scalar;
}

}  // namespace gradc
