// Terms of leaves, elementwise ops and movement; see iteration_reductions.cpp for the others.
#include "ir/iteration_terms.h"

#include <algorithm>

#include "ir/op.h"

namespace gradc {
namespace {

/// More terms than this are a sign of overlapping windows that should not be one group.
constexpr size_t kMaxTerms = 4096;

std::vector<int64_t> key_of_map(const AffineMap& map) {
  std::vector<int64_t> key = map.strides;
  key.push_back(map.offset);
  return key;
}

void append(std::vector<int64_t>& key, const std::vector<int64_t>& more) {
  key.insert(key.end(), more.begin(), more.end());
}

void append(std::vector<int64_t>& key, const std::vector<TermIndirection>& indirections) {
  for (const TermIndirection& indirection : indirections)
    append(key, {indirection.index, indirection.size, indirection.stride});
}

}  // namespace

TermBuilder::TermBuilder(const Graph& body, std::vector<IterationDim> dims,
                         const std::optional<ReductionForm>& form)
    : body_(body), dims_(std::move(dims)), form_(form) {
  for (size_t d = 0; d < dims_.size(); ++d) {
    extents_.push_back(dims_[d].extent);
    if (!dims_[d].reduced) kept_mask_ |= uint64_t{1} << d;
  }
}

TermId TermBuilder::fail(std::string why_not) {
  if (!has_failed()) why_not_ = std::move(why_not);
  return 0;
}

AxisIndex TermBuilder::zero_index() const { return {constant_map(dims_.size()), {}}; }

/// Computes phase and dims of the term and gives it a number, that of an equal term if there is
/// one.
TermId TermBuilder::intern(Term term) {
  if (terms_.size() >= kMaxTerms) return fail("the group computes too many different values");
  for (size_t d = 0; d < term.position.strides.size(); ++d)
    if (term.position.strides[d] != 0) term.dims |= uint64_t{1} << d;
  const auto depend_on = [&](TermId other) {
    term.phase = std::max(term.phase, terms_[other].phase);
    term.dims |= terms_[other].dims;
  };
  for (TermId operand : term.operands) depend_on(operand);
  for (const TermIndirection& indirection : term.indirections) depend_on(indirection.index);
  if (term.kind == TermKind::Reduce) {
    ++term.phase;
    term.dims = kept_mask_;
  }
  if (term.kind == TermKind::Literal) {
    terms_.push_back(std::move(term));
    return static_cast<TermId>(terms_.size() - 1);
  }
  Key key{static_cast<int64_t>(term.kind), static_cast<int64_t>(term.dtype),
          static_cast<int64_t>(term.op), term.input, static_cast<int64_t>(term.stream)};
  append(key, key_of_map(term.position));
  append(key, term.indirections);
  for (TermId operand : term.operands) key.push_back(operand);
  const auto [entry, is_new] =
      by_structure_.emplace(std::move(key), static_cast<TermId>(terms_.size()));
  if (is_new) terms_.push_back(std::move(term));
  return entry->second;
}

TermBuilder::Key TermBuilder::key_of(ValueId value, const ElementIndex& at) const {
  Key key{index(value)};
  for (const AxisIndex& axis : at) {
    append(key, key_of_map(axis.map));
    append(key, axis.indirections);
  }
  return key;
}

AffineMap TermBuilder::linear(const ElementIndex& at, const Shape& shape) const {
  AffineMap map = constant_map(dims_.size());
  const std::vector<int64_t> strides = shape.strides();
  for (size_t axis = 0; axis < at.size(); ++axis) add_scaled(map, at[axis].map, strides[axis]);
  return map;
}

std::vector<TermIndirection> TermBuilder::linear_indirections(const ElementIndex& at,
                                                              const Shape& shape) const {
  std::vector<TermIndirection> all;
  const std::vector<int64_t> strides = shape.strides();
  for (size_t axis = 0; axis < at.size(); ++axis)
    for (TermIndirection indirection : at[axis].indirections) {
      indirection.stride *= strides[axis];
      all.push_back(indirection);
    }
  return all;
}

TermId TermBuilder::demand(ValueId value, const ElementIndex& at) {
  if (has_failed()) return 0;
  CHECK(at.size() == static_cast<size_t>(body_.type(value).shape.rank()));
  Key key = key_of(value, at);
  if (const auto known = by_element_.find(key); known != by_element_.end()) return known->second;
  const Node* node = body_.defining_node(value);
  const TermId term = node == nullptr ? demand_input(value, at) : demand_node(value, *node, at);
  if (!has_failed()) by_element_.emplace(std::move(key), term);
  return term;
}

TermId TermBuilder::demand_input(ValueId value, const ElementIndex& at) {
  const Type& type = body_.type(value);
  Term term{.kind = TermKind::Load, .dtype = type.dtype};
  term.input = static_cast<int32_t>(index(value));
  term.position = linear(at, type.shape);
  term.indirections = linear_indirections(at, type.shape);
  return intern(std::move(term));
}

TermId TermBuilder::demand_node(ValueId value, const Node& node, const ElementIndex& at) {
  switch (op_class(node.kind)) {
    case OpClass::Elementwise:
      return demand_elementwise(value, node, at);
    case OpClass::Movement:
      return demand_movement(node, at);
    case OpClass::Reduction:
      return demand_reduction(value, node, at);
    case OpClass::Contraction:
      return demand_dot(value, node, at);
    case OpClass::Window:
      return node.kind == OpKind::FoldWindows
                 ? fail("fold_windows needs all its windows before it is read")
                 : demand_convolution(value, node, at);
    case OpClass::Index:
      return node.kind == OpKind::Gather
                 ? demand_gather(node, at)
                 : fail("scatter_add needs all its updates before it is read");
    case OpClass::Leaf:
      return demand_leaf(value, node, at);
    case OpClass::Random:
      return demand_draw(value, node, at);
    case OpClass::Meta:
      if (node.kind == OpKind::StopGradient) return demand(node.operands[0], at);
      break;
    case OpClass::Ordered:
    case OpClass::Region:
      break;
  }
  return fail(fmt::format("{} is no op of a group", op_info(node.kind).name));
}

TermId TermBuilder::demand_elementwise(ValueId value, const Node& node, const ElementIndex& at) {
  Term term{.kind = TermKind::Apply, .dtype = body_.type(value).dtype, .op = node.kind};
  for (ValueId operand : node.operands) term.operands.push_back(demand(operand, at));
  if (has_failed()) return 0;
  term.position = constant_map(dims_.size());
  return intern(std::move(term));
}

TermId TermBuilder::demand_movement(const Node& node, const ElementIndex& at) {
  if (node.kind == OpKind::Windows) return demand_windows(node, at);
  const ValueId operand = node.operands[0];
  const Shape& shape = body_.type(operand).shape;
  const auto rank = static_cast<size_t>(shape.rank());
  ElementIndex from(rank, zero_index());
  if (node.kind == OpKind::Transpose) {
    const std::vector<int64_t>& permutation = node.attrs.ints("permutation");
    for (size_t axis = 0; axis < rank; ++axis)
      from[static_cast<size_t>(permutation[axis])] = at[axis];
  } else if (node.kind == OpKind::Broadcast) {
    const std::vector<int64_t>& axes = node.attrs.ints("axes");
    for (size_t k = 0; k < rank; ++k)
      if (shape[static_cast<int64_t>(k)] != 1) from[k] = at[static_cast<size_t>(axes[k])];
  } else if (node.kind == OpKind::Slice) {
    for (size_t axis = 0; axis < rank; ++axis) {
      from[axis].map.offset = node.attrs.ints("start")[axis];
      const int64_t stride = node.attrs.ints("stride")[axis];
      add_scaled(from[axis].map, at[axis].map, stride);
      for (TermIndirection indirection : at[axis].indirections) {
        indirection.stride *= stride;
        from[axis].indirections.push_back(indirection);
      }
    }
  } else if (node.kind == OpKind::Reverse) {
    from = at;
    for (int64_t axis : node.attrs.ints("axes")) {
      AxisIndex& reversed = from[static_cast<size_t>(axis)];
      reversed = {constant_map(dims_.size(), shape[axis] - 1), {}};
      add_scaled(reversed.map, at[static_cast<size_t>(axis)].map, -1);
      for (TermIndirection indirection : at[static_cast<size_t>(axis)].indirections) {
        indirection.stride = -indirection.stride;
        reversed.indirections.push_back(indirection);
      }
    }
  } else if (node.kind == OpKind::Reshape) {
    return demand_reshaped(operand, Shape(node.attrs.ints("shape")), at);
  } else {
    return fail(fmt::format("{} is stored in pieces before it is read", op_info(node.kind).name));
  }
  return demand(operand, from);
}

/// Matches runs of axes with equal products: one to one, or through the linear index of the run.
TermId TermBuilder::demand_reshaped(ValueId operand, const Shape& shape, const ElementIndex& at) {
  const Shape& source = body_.type(operand).shape;
  ElementIndex from(static_cast<size_t>(source.rank()), zero_index());
  if (const auto empty = std::find(shape.begin(), shape.end(), 0); empty != shape.end()) {
    for (int64_t axis = 0; axis < source.rank(); ++axis)
      if (source[axis] == 0)
        from[static_cast<size_t>(axis)] = at[static_cast<size_t>(empty - shape.begin())];
    return demand(operand, from);
  }
  int64_t in = 0;
  int64_t out = 0;
  while (in < source.rank() || out < shape.rank()) {
    std::vector<int64_t> in_sizes;
    std::vector<int64_t> out_axes;
    int64_t in_product = 1;
    int64_t out_product = 1;
    const int64_t first = in;
    do {
      if (in_product <= out_product && in < source.rank()) {
        in_sizes.push_back(source[in]);
        in_product *= source[in++];
      } else if (out < shape.rank()) {
        out_axes.push_back(out);
        out_product *= shape[out++];
      } else {
        in_sizes.push_back(source[in]);
        in_product *= source[in++];
      }
    } while (in_product != out_product);
    if (out_axes.empty()) continue;
    if (in_sizes.size() == 1 && out_axes.size() == 1) {
      from[static_cast<size_t>(first)] = at[static_cast<size_t>(out_axes[0])];
      continue;
    }
    AffineMap map = constant_map(dims_.size());
    int64_t stride = out_product;
    for (int64_t axis : out_axes) {
      stride /= shape[axis];
      if (shape[axis] == 1) continue;  // whatever is looked up is element 0
      const AxisIndex& part = at[static_cast<size_t>(axis)];
      if (!part.indirections.empty()) return fail("a looked-up axis is reshaped");
      add_scaled(map, part.map, stride);
    }
    const std::optional<ElementIndex> parts = split_linear(std::move(map), in_sizes);
    if (!parts) return 0;
    std::copy(parts->begin(), parts->end(), from.begin() + first);
  }
  return demand(operand, from);
}

/// The row-major index on axes of these sizes whose linear index is `map`.
std::optional<ElementIndex> TermBuilder::split_linear(AffineMap map,
                                                      const std::vector<int64_t>& sizes) {
  ElementIndex parts(sizes.size(), zero_index());
  size_t outermost = 0;
  while (outermost < sizes.size() && sizes[outermost] == 1) ++outermost;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    if (sizes[axis] == 1) continue;
    if (axis == outermost) {
      parts[axis].map = map;
      break;
    }
    auto divided = divide(map, sizes[axis], extents_);
    if (const auto* request = std::get_if<SplitRequest>(&divided)) {
      if (!has_failed()) split_ = *request;
      return std::nullopt;
    }
    if (const auto* why_not = std::get_if<std::string>(&divided)) {
      fail(*why_not);
      return std::nullopt;
    }
    parts[axis].map = std::get<DividedMap>(divided).remainder;
    map = std::get<DividedMap>(divided).quotient;
  }
  return parts;
}

TermId TermBuilder::apply(OpKind op, DType dtype, std::vector<TermId> operands) {
  if (has_failed()) return 0;
  Term term{.kind = TermKind::Apply, .dtype = dtype, .op = op, .operands = std::move(operands)};
  term.position = constant_map(dims_.size());
  return intern(std::move(term));
}

TermId TermBuilder::convert(TermId term, DType dtype) {
  if (has_failed() || terms_[term].dtype == dtype) return term;
  return apply(OpKind::Convert, dtype, {term});
}

TermId TermBuilder::literal(DType dtype, double value) {
  Term term{.kind = TermKind::Literal, .dtype = dtype};
  term.position = constant_map(dims_.size());
  term.literal = Tensor::scalar(dtype, value);
  return intern(std::move(term));
}

}  // namespace gradc
