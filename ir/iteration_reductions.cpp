// Terms of reductions, contractions, lookups and leaves.
#include <algorithm>

#include "ir/accumulator_dtype.h"
#include "ir/convolution_shape.h"
#include "ir/iteration_terms.h"
#include "ir/op.h"

namespace gradc {
namespace {

std::vector<bool> mask_of(const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<bool> mask(static_cast<size_t>(rank), false);
  for (int64_t axis : axes) mask[static_cast<size_t>(axis)] = true;
  return mask;
}

/// Lanes over the contracted axis of a dot pay from here on.
constexpr int64_t kMinHorizontalDot = 64;

struct DotAxes {
  std::vector<bool> lhs_used;  // batch or contracted
  std::vector<bool> rhs_used;
  std::vector<int64_t> contract_sizes;
  int64_t rhs_free = 1;
};

DotAxes dot_axes(const Graph& body, const Node& node) {
  const Shape& lhs = body.type(node.operands[0]).shape;
  const Shape& rhs = body.type(node.operands[1]).shape;
  DotAxes axes{mask_of(node.attrs.ints("lhs_batch"), lhs.rank()),
               mask_of(node.attrs.ints("rhs_batch"), rhs.rank()),
               {},
               1};
  for (int64_t axis : node.attrs.ints("lhs_contract")) {
    axes.lhs_used[static_cast<size_t>(axis)] = true;
    axes.contract_sizes.push_back(lhs[axis]);
  }
  for (int64_t axis : node.attrs.ints("rhs_contract"))
    axes.rhs_used[static_cast<size_t>(axis)] = true;
  for (int64_t axis = 0; axis < rhs.rank(); ++axis)
    if (!axes.rhs_used[static_cast<size_t>(axis)]) axes.rhs_free *= rhs[axis];
  return axes;
}

/// How many elements of the operand lie side by side along its contracted axes, in their order,
/// from the last axis (of more than one element) on; 0 if that is not the last one contracted.
int64_t contracted_run(const Shape& shape, const std::vector<int64_t>& contract) {
  int64_t run = 1;
  int64_t axis = shape.rank();
  for (size_t k = contract.size(); k-- > 0;) {
    if (shape[contract[k]] == 1) continue;
    do --axis;
    while (axis > contract[k] && shape[axis] == 1);
    if (axis != contract[k]) return run == 1 ? 0 : run;
    run *= shape[axis];
  }
  return run;
}

ReductionForm dot_form(const Graph& body, const Node& node) {
  const DotAxes axes = dot_axes(body, node);
  ReductionForm form;
  for (int64_t size : axes.contract_sizes) form.count *= size;
  const int64_t run =
      std::min(contracted_run(body.type(node.operands[0]).shape, node.attrs.ints("lhs_contract")),
               contracted_run(body.type(node.operands[1]).shape, node.attrs.ints("rhs_contract")));
  form.is_horizontal =
      run > 1 && (axes.rhs_free == 1 || (run == form.count && run >= kMinHorizontalDot));
  if (form.is_horizontal) form.last_run = run;
  return form;
}

bool is_constant(const AxisIndex& index) {
  const auto is_zero = [](int64_t stride) { return stride == 0; };
  return index.indirections.empty() &&
         std::all_of(index.map.strides.begin(), index.map.strides.end(), is_zero);
}

}  // namespace

std::vector<bool> written_out_axes(const Graph& body, const Node& node) {
  if (node.kind != OpKind::Dot) return {};
  const Node* windows = body.defining_node(node.operands[0]);
  if (windows == nullptr || windows->kind != OpKind::Windows || dot_form(body, node).is_horizontal)
    return {};
  const DotAxes axes = dot_axes(body, node);
  const std::vector<int64_t>& window_axes = windows->attrs.ints("axes");
  for (size_t k = 0; k < window_axes.size(); ++k)
    if (!axes.lhs_used[static_cast<size_t>(window_axes[k]) + k]) return {};  // the places
  const Shape& lhs = body.type(node.operands[0]).shape;
  std::vector<bool> is_written(node.attrs.ints("lhs_batch").size(), false);
  int64_t points = 1;
  for (size_t axis = 0; axis < axes.lhs_used.size(); ++axis) {
    if (axes.lhs_used[axis]) continue;
    points *= lhs[static_cast<int64_t>(axis)];
    is_written.push_back(true);
  }
  is_written.resize(static_cast<size_t>(body.type(node.results[0]).shape.rank()), false);
  return points > 0 && points <= kMaxShortProducts ? is_written : std::vector<bool>{};
}

ReductionForm reduction_form(const Shape& operand, const std::vector<bool>& is_reduced) {
  ReductionForm form;
  bool is_last = true;
  bool in_last_run = false;
  for (int64_t axis = operand.rank(); axis-- > 0;) {
    const bool reduced = is_reduced[static_cast<size_t>(axis)];
    if (reduced) form.count *= operand[axis];
    if (operand[axis] == 1) continue;
    if (is_last) form.is_horizontal = in_last_run = reduced;
    is_last = false;
    in_last_run = in_last_run && reduced;
    if (in_last_run) form.last_run *= operand[axis];
  }
  return form;
}

ReductionForm reduction_form(const Graph& body, const Node& node) {
  if (node.kind == OpKind::Dot) return dot_form(body, node);
  if (is_convolution(node.kind)) return convolution_form(body, node);
  const Shape& shape = body.type(node.operands[0]).shape;
  return reduction_form(shape, mask_of(node.attrs.ints("axes"), shape.rank()));
}

/// A reduction is computed once for each point of the kept dims: `at` must visit every element of
/// its result once.
bool TermBuilder::is_reducible_at(const Node& node, const ElementIndex& at,
                                  const Shape& kept_shape) {
  if (!form_) {
    fail("a reduction in a nest that reduces nothing");
    return false;
  }
  if (reduction_form(body_, node) != *form_) {
    fail("two reductions add up in different orders");
    return false;
  }
  std::vector<bool> kept;
  for (const IterationDim& dim : dims_) kept.push_back(!dim.reduced);
  const bool is_indirect = std::any_of(
      at.begin(), at.end(), [](const AxisIndex& axis) { return !axis.indirections.empty(); });
  if (is_indirect || !is_bijection(linear(at, kept_shape), extents_, kept)) {
    fail("a reduction would run more than once for the same element, or over another result");
    return false;
  }
  return true;
}

/// The index on the reduced axes, of these sizes, at each point.
std::optional<ElementIndex> TermBuilder::reduced_index(const std::vector<int64_t>& sizes) {
  AffineMap map = constant_map(dims_.size());
  int64_t stride = 1;
  for (size_t d = dims_.size(); d-- > 0 && dims_[d].reduced;) {
    map.strides[d] = stride;
    stride *= extents_[d];
  }
  if (stride == 0) {
    // Never computed; what depends on an innermost loop is not moved out of the empty one.
    AxisIndex innermost = zero_index();
    innermost.map.strides.back() = 1;
    return ElementIndex(sizes.size(), innermost);
  }
  return split_linear(std::move(map), sizes);
}

TermId TermBuilder::demand_reduction(ValueId value, const Node& node, const ElementIndex& at) {
  const Type& operand = body_.type(node.operands[0]);
  if (!is_reducible_at(node, at, body_.type(value).shape)) return 0;
  const std::vector<bool> mask = mask_of(node.attrs.ints("axes"), operand.shape.rank());
  std::vector<int64_t> sizes;
  for (size_t axis = 0; axis < mask.size(); ++axis)
    if (mask[axis]) sizes.push_back(operand.shape[static_cast<int64_t>(axis)]);
  const std::optional<ElementIndex> reduced = reduced_index(sizes);
  if (!reduced) return 0;
  ElementIndex from;
  size_t next_kept = 0;
  size_t next_reduced = 0;
  for (bool is_reduced : mask)
    from.push_back(is_reduced ? (*reduced)[next_reduced++] : at[next_kept++]);
  const DType dtype = accumulator_dtype(operand.dtype);
  const TermId element = convert(demand(node.operands[0], from), dtype);
  if (has_failed()) return 0;
  const OpKind op = node.kind == OpKind::Mean ? OpKind::Sum : node.kind;
  Term term{.kind = TermKind::Reduce, .dtype = dtype, .op = op, .operands = {element}};
  term.accumulator = dtype;
  term.position = constant_map(dims_.size());
  if (node.kind == OpKind::ArgMax || node.kind == OpKind::ArgMin) {
    term.dtype = DType::I32;
    term.position = linear(*reduced, Shape(sizes));
  }
  TermId result = intern(std::move(term));
  if (node.kind == OpKind::Mean)
    result = apply(OpKind::Div, dtype, {result, literal(dtype, static_cast<double>(form_->count))});
  return convert(result, body_.type(value).dtype);
}

TermId TermBuilder::demand_dot(ValueId value, const Node& node, const ElementIndex& at) {
  const Shape& shape = body_.type(value).shape;
  const std::vector<bool> is_written = written_out_axes(body_, node);
  ElementIndex looped;
  std::vector<int64_t> looped_sizes;
  for (size_t axis = 0; axis < at.size(); ++axis) {
    const bool is_loop = is_written.empty() || !is_written[axis];
    if (!is_loop && !is_constant(at[axis])) return fail("the places of a window are one loop");
    if (!is_loop) continue;
    looped.push_back(at[axis]);
    looped_sizes.push_back(shape[static_cast<int64_t>(axis)]);
  }
  if (!is_reducible_at(node, looped, Shape(looped_sizes))) return 0;
  const DotAxes axes = dot_axes(body_, node);
  const std::optional<ElementIndex> reduced = reduced_index(axes.contract_sizes);
  if (!reduced) return 0;
  ElementIndex lhs(axes.lhs_used.size(), zero_index());
  ElementIndex rhs(axes.rhs_used.size(), zero_index());
  const auto place = [](ElementIndex& to, const std::vector<int64_t>& which, size_t n,
                        const AxisIndex& axis) { to[static_cast<size_t>(which[n])] = axis; };
  size_t next = 0;
  for (size_t n = 0; n < node.attrs.ints("lhs_batch").size(); ++n) {
    place(lhs, node.attrs.ints("lhs_batch"), n, at[next]);
    place(rhs, node.attrs.ints("rhs_batch"), n, at[next++]);
  }
  for (size_t n = 0; n < axes.contract_sizes.size(); ++n) {
    place(lhs, node.attrs.ints("lhs_contract"), n, (*reduced)[n]);
    place(rhs, node.attrs.ints("rhs_contract"), n, (*reduced)[n]);
  }
  for (size_t axis = 0; axis < lhs.size(); ++axis)
    if (!axes.lhs_used[axis]) lhs[axis] = at[next++];
  for (size_t axis = 0; axis < rhs.size(); ++axis)
    if (!axes.rhs_used[axis]) rhs[axis] = at[next++];
  return finish_product(value, demand(node.operands[0], lhs), demand(node.operands[1], rhs));
}

/// The sum of a * b over the reduced dims, in the dtype of `value`.
TermId TermBuilder::finish_product(ValueId value, TermId a, TermId b) {
  const DType dtype = accumulator_dtype(body_.type(value).dtype);
  a = convert(a, dtype);
  b = convert(b, dtype);
  if (has_failed()) return 0;
  Term term{.kind = TermKind::Reduce, .dtype = dtype, .op = OpKind::Sum, .operands = {a, b}};
  term.accumulator = dtype;
  term.position = constant_map(dims_.size());
  return convert(intern(std::move(term)), body_.type(value).dtype);
}

TermId TermBuilder::demand_gather(const Node& node, const ElementIndex& at) {
  const Shape& table = body_.type(node.operands[0]).shape;
  const auto axis = static_cast<size_t>(node.attrs.integer("axis"));
  const auto index_rank = static_cast<size_t>(body_.type(node.operands[1]).shape.rank());
  const ElementIndex lookup(at.begin() + static_cast<std::ptrdiff_t>(axis),
                            at.begin() + static_cast<std::ptrdiff_t>(axis + index_rank));
  const TermId position = demand(node.operands[1], lookup);
  if (has_failed()) return 0;
  ElementIndex from(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(axis));
  from.push_back(zero_index());
  from.back().indirections.push_back({position, table[static_cast<int64_t>(axis)], 1});
  from.insert(from.end(), at.begin() + static_cast<std::ptrdiff_t>(axis + index_rank), at.end());
  return demand(node.operands[0], from);
}

TermId TermBuilder::demand_leaf(ValueId value, const Node& node, const ElementIndex& at) {
  const Type& type = body_.type(value);
  if (node.kind == OpKind::Constant) {
    const std::optional<Tensor> scalar = uniform_element(node.attrs.get<Tensor>("value"));
    if (!scalar) return fail("a constant array is an operand, not a part of a group");
    Term term{.kind = TermKind::Literal, .dtype = type.dtype};
    term.position = constant_map(dims_.size());
    term.literal = *scalar;
    return intern(std::move(term));
  }
  const AxisIndex& axis = at[static_cast<size_t>(node.attrs.integer("axis"))];
  if (!axis.indirections.empty()) return fail("iota is looked up");
  Term term{.kind = TermKind::Iota, .dtype = type.dtype};
  term.position = axis.map;
  return intern(std::move(term));
}

TermId TermBuilder::demand_draw(ValueId value, const Node& node, const ElementIndex& at) {
  const Type& type = body_.type(value);
  if (!linear_indirections(at, type.shape).empty()) return fail("a random draw is looked up");
  Term term{.kind = TermKind::Draw, .dtype = type.dtype};
  for (ValueId operand : node.operands) term.operands.push_back(demand(operand, {}));
  if (has_failed()) return 0;
  term.position = linear(at, type.shape);
  term.stream = static_cast<uint64_t>(node.attrs.integer("stream"));
  return intern(std::move(term));
}

}  // namespace gradc
