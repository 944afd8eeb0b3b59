// Builds a graph node by node; infers types; the only way to make a Graph.
#pragma once
#include "ir/op.h"

namespace gradc {

class GraphBuilder {
 public:
  GraphBuilder(std::string name, GraphMode mode, int64_t rows = 0);

  /// Declares the next input; all inputs come before the first node.
  ValueId input(InputKind kind, std::string name, Type type, int64_t limit = 0);
  void output(OutputKind kind, std::string name, ValueId value);

  /// Appends a node with `current_origin()`. Throws what the op's shape rule throws.
  std::vector<ValueId> add_node(OpKind kind, std::vector<ValueId> operands, Attrs attrs = {});
  /// Appends a copy of a node of `source`, origin included; `operands` have the types that those of
  /// the node have there.
  std::vector<ValueId> copy_node(const Graph& source, const Node& node,
                                 std::vector<ValueId> operands);
  /// add_node() for an op with one result.
  ValueId add(OpKind kind, std::vector<ValueId> operands, Attrs attrs = {});

  const OriginRef& current_origin() const { return origin_; }
  void set_origin(OriginRef origin) { origin_ = std::move(origin); }

  const Type& type(ValueId value) const { return graph_.type(value); }
  const Shape& shape(ValueId value) const { return type(value).shape; }
  DType dtype(ValueId value) const { return type(value).dtype; }
  /// The graph so far; valid until the next call.
  const Graph& graph() const { return graph_; }
  Graph build() &&;

  // Short forms. Elementwise operands must agree in dtype and shape.
  ValueId constant(Tensor value);
  /// A constant scalar broadcast to `type`.
  ValueId fill(const Type& type, double value);
  ValueId fill_like(ValueId value, double number) { return fill(Type(type(value)), number); }
  ValueId neg(ValueId a) { return add(OpKind::Neg, {a}); }
  ValueId add(ValueId a, ValueId b) { return add(OpKind::Add, {a, b}); }
  ValueId sub(ValueId a, ValueId b) { return add(OpKind::Sub, {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return add(OpKind::Mul, {a, b}); }
  ValueId div(ValueId a, ValueId b) { return add(OpKind::Div, {a, b}); }
  ValueId select(ValueId c, ValueId a, ValueId b) { return add(OpKind::Select, {c, a, b}); }
  /// The value itself where it already has this dtype; likewise below.
  ValueId convert(ValueId a, DType dtype);
  ValueId reshape(ValueId a, Shape shape);
  ValueId transpose(ValueId a, std::vector<int64_t> permutation);
  /// out axis axes[k] is axis k of `a` (which has that size or 1); the other axes are new.
  ValueId broadcast(ValueId a, Shape shape, std::vector<int64_t> axes);
  /// Axes aligned at the right, as in NumPy.
  ValueId broadcast_to(ValueId a, Shape shape);
  /// `kind` is a Reduction; `keep` leaves the axes as size 1 by a reshape.
  ValueId reduce(OpKind kind, ValueId a, std::vector<int64_t> axes, bool keep = false);

 private:
  std::vector<ValueId> append(Node node, std::vector<Type> types);

  Graph graph_;
  OriginRef origin_;
};

/// Copies a graph into a builder, node by node, replacing what a pass wants replaced.
///   Rewriter rewriter(graph);                 // declares the same inputs
///   for (const Node& node : graph.nodes()) { if (special) rewriter.replace(node.results[0], v);
///   else rewriter.copy(node); } return std::move(rewriter).finish();      // the same outputs
class Rewriter {
 public:
  explicit Rewriter(const Graph& graph);

  GraphBuilder& builder() { return builder_; }
  /// The new value that stands for `old`; CHECKs that there is one.
  ValueId map(ValueId old) const;
  std::vector<ValueId> map(std::span<const ValueId> old) const;
  /// Copies the node with mapped operands and its origin; returns the new results.
  std::vector<ValueId> copy(const Node& node);
  void replace(ValueId old, ValueId replacement);
  Graph finish() &&;

 private:
  const Graph& source_;
  GraphBuilder builder_;
  std::vector<std::optional<ValueId>> map_;
};

}  // namespace gradc
