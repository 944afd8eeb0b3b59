// Plans the nests of a group: one domain for pointwise and reduced values, pieces for the ops that
// store their result in parts.
#include "ir/iteration.h"

#include <algorithm>
#include <cstring>

#include "ir/axis_classes.h"
#include "ir/iteration_nest.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// Bounds the depth of the walk back from the results.
constexpr size_t kMaxBodyNodes = 2048;

using Analysis = std::variant<GroupAnalysis, std::string>;

bool is_reduction(OpKind kind) {
  return op_class(kind) == OpClass::Reduction || op_class(kind) == OpClass::Contraction;
}
bool is_stored_in_pieces(OpKind kind) {
  return kind == OpKind::Pad || kind == OpKind::Concat || kind == OpKind::ScatterAdd;
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
    root.source_dims.push_back(shape[axis] == 1 ? -1 : static_cast<int32_t>(axis));
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

Analysis analyze_pad(const Graph& body, const Node& node) {
  GroupAnalysis analysis;
  const Shape& out = body.type(node.results[0]).shape;
  const Shape& in = body.type(node.operands[0]).shape;
  NestRoot fill = root_over(out, node.operands[1], out.strides());
  fill.is_fill = true;
  std::string why_not = append_simple_nest(analysis, body, out, std::move(fill));
  NestRoot copy = root_over(in, node.operands[0], out.strides());
  for (size_t axis = 0; axis < copy.strides.size(); ++axis)
    copy.offset += node.attrs.ints("low")[axis] * copy.strides[axis];
  if (why_not.empty()) why_not = append_simple_nest(analysis, body, in, std::move(copy));
  if (!why_not.empty()) return why_not;
  return analysis;
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
  root.source_dims.assign(static_cast<size_t>(updates.rank()), -1);
  root.strides.assign(root.source_dims.size(), 0);
  root.scatter = {node.operands[1], axis, out[static_cast<int64_t>(axis)], strides[axis]};
  const auto add_loop = [&](size_t k, bool reduced) {
    const int64_t size = updates[static_cast<int64_t>(k)];
    if (size != 1) root.source_dims[k] = static_cast<int32_t>(plan.source_dims.size());
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

/// The domain all outputs share: that of the first reduction, else that of the largest output.
struct Anchor {
  NestPlan plan;
  std::vector<std::pair<ValueId, int64_t>> axes;  // by source dim
};

Anchor find_anchor(const Graph& body) {
  Anchor anchor;
  const auto add_dim = [&](ValueId value, int64_t axis, bool reduced) {
    anchor.plan.source_dims.push_back({body.type(value).shape[axis], reduced});
    anchor.axes.emplace_back(value, axis);
  };
  for (const Node& node : body.nodes()) {
    if (!is_reduction(node.kind)) continue;
    const ValueId result = node.results[0];
    for (int64_t axis = 0; axis < body.type(result).shape.rank(); ++axis)
      add_dim(result, axis, false);
    std::vector<int64_t> axes = node.attrs.ints(node.kind == OpKind::Dot ? "lhs_contract" : "axes");
    if (node.kind != OpKind::Dot) std::sort(axes.begin(), axes.end());
    for (int64_t axis : axes) add_dim(node.operands[0], axis, true);
    anchor.plan.form = reduction_form(body, node);
    return anchor;
  }
  ValueId largest = body.outputs()[0].value;
  for (const Output& output : body.outputs())
    if (body.type(output.value).shape.element_count() > body.type(largest).shape.element_count())
      largest = output.value;
  for (int64_t axis = 0; axis < body.type(largest).shape.rank(); ++axis)
    add_dim(largest, axis, false);
  return anchor;
}

/// Ties the axes of a stored value to loops. Any one-to-one choice gives right code; the classes
/// find the one that can be fused.
std::optional<NestRoot> tie_root(const Graph& body, const Anchor& anchor,
                                 const AxisClasses& classes, ValueId value) {
  const Shape& shape = body.type(value).shape;
  NestRoot root{.value = value, .strides = shape.strides()};
  std::vector<bool> is_used(anchor.axes.size(), false);
  for (int64_t axis = 0; axis < shape.rank(); ++axis) {
    int32_t found = -1;
    for (size_t s = 0; s < anchor.axes.size() && found < 0 && shape[axis] != 1; ++s) {
      const auto [anchor_value, anchor_axis] = anchor.axes[s];
      if (!is_used[s] && anchor.plan.source_dims[s].extent == shape[axis] &&
          classes.class_of(anchor_value, anchor_axis) == classes.class_of(value, axis))
        found = static_cast<int32_t>(s);
    }
    if (found < 0 && shape[axis] != 1) return std::nullopt;
    if (found >= 0) is_used[static_cast<size_t>(found)] = true;
    root.source_dims.push_back(found);
  }
  return root;
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
    return analyze_scatter_add(body, node);
  }
  Anchor anchor = find_anchor(body);
  const AxisClasses classes(body);
  for (size_t i = 0; i < body.outputs().size(); ++i) {
    std::optional<NestRoot> root = tie_root(body, anchor, classes, body.outputs()[i].value);
    if (!root) return std::string("the results do not run over the same loops");
    root->output = static_cast<int32_t>(i);
    anchor.plan.roots.push_back(std::move(*root));
  }
  GroupAnalysis analysis;
  std::string why_not = append_nest(analysis, body, anchor.plan);
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
