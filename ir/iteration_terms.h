// Expresses values of a group body at a point of a nest's domain: the core of analyze_group.
#pragma once
#include <map>
#include <optional>

#include "ir/convolution_shape.h"
#include "ir/iteration.h"

namespace gradc {

/// The place of an element on one axis: an affine function of the point plus looked-up indices.
struct AxisIndex {
  AffineMap map;
  std::vector<TermIndirection> indirections;
};
using ElementIndex = std::vector<AxisIndex>;  // one for each axis of a value

/// The order of a reduction, as a function of its operand shape and axes alone.
struct ReductionForm {
  bool is_horizontal = false;  // the last axis is reduced: lanes run over it
  int64_t count = 1;           // reduced elements
  int64_t last_run = 1;        // of them in the vector loop, where horizontal
  friend bool operator==(const ReductionForm&, const ReductionForm&) = default;
};
ReductionForm reduction_form(const Shape& operand, const std::vector<bool>& is_reduced);
/// The form of any node of class Reduction or Contraction and of a convolution.
ReductionForm reduction_form(const Graph& body, const Node& node);
ReductionForm convolution_form(const Graph& body, const Node& node);
/// The sizes that a convolution of this kind sums over, outermost first.
std::vector<int64_t> convolution_reduced_sizes(const ConvolutionShape& shape, OpKind kind);

/// By axis of the node's result: is each of its points a reduction of its own, side by side with
/// the others, instead of a point of a loop? So it is with the places in a window and the channels
/// of a product of windows that adds up over the places: they do not lie evenly in memory, and all
/// of them want the same elements of the right operand. Empty where there are none or too many.
std::vector<bool> written_out_axes(const Graph& body, const Node& node);

/// Builds the terms of one nest. After the first failure all results are meaningless.
class TermBuilder {
 public:
  TermBuilder(const Graph& body, std::vector<IterationDim> dims,
              const std::optional<ReductionForm>& form);

  /// The term of element `at` of `value`.
  TermId demand(ValueId value, const ElementIndex& at);
  /// sum over axes of index * stride.
  AffineMap linear(const ElementIndex& at, const Shape& shape) const;
  std::vector<TermIndirection> linear_indirections(const ElementIndex& at,
                                                   const Shape& shape) const;

  TermId literal(DType dtype, double value);

  DType dtype(ValueId value) const { return body_.type(value).dtype; }
  const Shape& shape(ValueId value) const { return body_.type(value).shape; }
  bool has_failed() const { return split_.has_value() || !why_not_.empty(); }
  const std::optional<SplitRequest>& split() const { return split_; }
  const std::string& why_not() const { return why_not_; }
  std::vector<Term> take_terms() { return std::move(terms_); }
  const std::vector<Term>& terms() const { return terms_; }

 private:
  using Key = std::vector<int64_t>;

  TermId fail(std::string why_not);
  TermId intern(Term term);
  AxisIndex zero_index() const;
  Key key_of(ValueId value, const ElementIndex& at) const;
  TermId demand_input(ValueId value, const ElementIndex& at);
  TermId demand_node(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_elementwise(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_movement(const Node& node, const ElementIndex& at);
  TermId demand_reshaped(ValueId operand, const Shape& shape, const ElementIndex& at);
  TermId demand_reduction(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_dot(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_windows(const Node& node, const ElementIndex& at);
  TermId demand_convolution(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_short_convolution(ValueId value, const Node& node, const ElementIndex& at);
  std::optional<std::pair<TermId, TermId>> convolution_factors(const Node& node,
                                                               const ElementIndex& at,
                                                               const ElementIndex& reduced);
  AxisIndex guarded_axis(const AffineMap& map, int64_t divisor, int64_t size,
                         std::vector<TermId>& conditions);
  TermId demand_guarded(ValueId value, const ElementIndex& at,
                        const std::vector<TermId>& conditions);
  std::optional<ElementIndex> split_groups(const AxisIndex& channel, int64_t groups, int64_t size);
  TermId demand_gather(const Node& node, const ElementIndex& at);
  TermId demand_leaf(ValueId value, const Node& node, const ElementIndex& at);
  TermId demand_draw(ValueId value, const Node& node, const ElementIndex& at);

  std::optional<ElementIndex> split_linear(AffineMap map, const std::vector<int64_t>& sizes);
  bool is_reducible_at(const Node& node, const ElementIndex& at, const Shape& kept_shape);
  std::optional<ElementIndex> reduced_index(const std::vector<int64_t>& sizes);
  TermId finish_product(ValueId value, TermId a, TermId b);
  TermId apply(OpKind op, DType dtype, std::vector<TermId> operands);
  TermId convert(TermId term, DType dtype);

  const Graph& body_;
  std::vector<IterationDim> dims_;
  std::vector<int64_t> extents_;
  std::optional<ReductionForm> form_;
  uint64_t kept_mask_ = 0;
  std::vector<Term> terms_;
  std::map<Key, TermId> by_element_;
  std::map<Key, TermId> by_structure_;
  std::optional<SplitRequest> split_;
  std::string why_not_;
};

}  // namespace gradc
