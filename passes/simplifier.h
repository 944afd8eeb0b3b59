// Adds nodes to a graph, simplifying each on the way in: what rewrite rules are written against.
#pragma once
#include <span>

#include "ir/builder.h"

namespace gradc {

class Simplifier;

/// A node that is about to be added. Everything refers to the graph under construction.
struct Candidate {
  OpKind kind;
  std::vector<ValueId> operands;
  Attrs attrs;
  Type type;
};

/// A rewrite of one op. `equation` is "before ==> after [if condition]".
/// `apply` returns the value that replaces the candidate's result, or nothing.
struct RewriteRule {
  OpKind kind;
  std::string_view equation;
  std::optional<ValueId> (*apply)(Simplifier&, const Candidate&);
};

class Simplifier {
 public:
  /// Both are kept by reference.
  Simplifier(GraphBuilder& builder, std::span<const std::span<const RewriteRule>> rules);

  /// The value of the node after the first rule that applies to it (whose own nodes come through
  /// here too), or of the node itself. Ops with one result only.
  ValueId add(OpKind kind, std::vector<ValueId> operands, Attrs attrs = {});

  const Type& type(ValueId value) const { return builder_.type(value); }
  const Shape& shape(ValueId value) const { return builder_.shape(value); }
  DType dtype(ValueId value) const { return builder_.dtype(value); }

  /// The node that makes `value` if it is of this kind, else null. Valid until the next add.
  const Node* made_by(ValueId value, OpKind kind) const;
  /// The scalar of which `value` is a constant, a broadcast or a reshape; nothing if its elements
  /// are not known to be all the same.
  std::optional<Tensor> uniform(ValueId value) const;
  /// Are all elements equal to `number`, the sign of zero included?
  bool is_uniform(ValueId value, double number) const;
  /// A rank-0 constant broadcast to `shape`.
  ValueId fill(const Tensor& scalar, const Shape& shape);

  ValueId convert(ValueId value, DType dtype);
  ValueId reshape(ValueId value, Shape shape);
  ValueId transpose(ValueId value, std::vector<int64_t> permutation);
  ValueId broadcast(ValueId value, Shape shape, std::vector<int64_t> axes);
  /// out[i] = value[start + i * stride], `shape` many on each axis.
  ValueId slice(ValueId value, const std::vector<int64_t>& start, const Shape& shape,
                const std::vector<int64_t>& stride);

 private:
  GraphBuilder& builder_;
  std::vector<std::vector<const RewriteRule*>> rules_by_kind_;
};

}  // namespace gradc
