// Appends nodes with inferred types; copies graphs for passes.
#include "ir/builder.h"

#include <algorithm>
#include <numeric>

namespace gradc {

GraphBuilder::GraphBuilder(std::string name, GraphMode mode, int64_t rows) {
  graph_.name = std::move(name);
  graph_.mode = mode;
  graph_.rows = rows;
}

ValueId GraphBuilder::input(InputKind kind, std::string name, Type type, int64_t limit) {
  CHECK(graph_.nodes_.empty(), "input {} after the first node", name);
  check_dims(type.shape);
  graph_.inputs_.push_back({kind, std::move(name), limit});
  graph_.types_.push_back(std::move(type));
  graph_.producers_.push_back(-1);
  return static_cast<ValueId>(graph_.types_.size() - 1);
}

void GraphBuilder::output(OutputKind kind, std::string name, ValueId value) {
  CHECK(index(value) < graph_.value_count(), "output {} of no value", name);
  graph_.outputs_.push_back({kind, std::move(name), value});
}

std::vector<ValueId> GraphBuilder::add_node(OpKind kind, std::vector<ValueId> operands,
                                            Attrs attrs) {
  std::vector<Type> types;
  types.reserve(operands.size());
  for (ValueId operand : operands) {
    CHECK(index(operand) < graph_.value_count(), "operand {} of {} is undefined", index(operand),
          op_info(kind).name);
    types.push_back(graph_.type(operand));
  }
  std::vector<Type> result_types = infer_types(kind, {types, attrs});
  return append({kind, std::move(operands), {}, std::move(attrs), origin_},
                std::move(result_types));
}

std::vector<ValueId> GraphBuilder::copy_node(const Graph& source, const Node& node,
                                             std::vector<ValueId> operands) {
  CHECK(operands.size() == node.operands.size());
  for (size_t i = 0; i < operands.size(); ++i)
    CHECK(graph_.type(operands[i]) == source.type(node.operands[i]), "operand {} of {} changes", i,
          op_info(node.kind).name);
  std::vector<Type> types;
  types.reserve(node.results.size());
  for (ValueId result : node.results) types.push_back(source.type(result));
  return append({node.kind, std::move(operands), {}, node.attrs, node.origin}, std::move(types));
}

std::vector<ValueId> GraphBuilder::append(Node node, std::vector<Type> types) {
  node.results.reserve(types.size());
  for (Type& type : types) {
    node.results.push_back(static_cast<ValueId>(graph_.types_.size()));
    graph_.types_.push_back(std::move(type));
    graph_.producers_.push_back(static_cast<int32_t>(graph_.nodes_.size()));
  }
  graph_.nodes_.push_back(std::move(node));
  return graph_.nodes_.back().results;
}

ValueId GraphBuilder::add(OpKind kind, std::vector<ValueId> operands, Attrs attrs) {
  const std::vector<ValueId> results = add_node(kind, std::move(operands), std::move(attrs));
  CHECK(results.size() == 1, "{} has {} results", op_info(kind).name, results.size());
  return results[0];
}

Graph GraphBuilder::build() && { return std::move(graph_); }

ValueId GraphBuilder::constant(Tensor value) {
  return add(OpKind::Constant, {}, {{"value", std::move(value)}});
}

ValueId GraphBuilder::fill(const Type& type, double value) {
  const Type target = type;
  return broadcast(constant(Tensor::scalar(target.dtype, value)), target.shape, {});
}

ValueId GraphBuilder::convert(ValueId a, DType dtype) {
  if (this->dtype(a) == dtype) return a;
  return add(OpKind::Convert, {a}, {{"dtype", dtype}});
}

ValueId GraphBuilder::reshape(ValueId a, Shape shape) {
  if (this->shape(a) == shape) return a;
  return add(OpKind::Reshape, {a}, {{"shape", shape.dims()}});
}

ValueId GraphBuilder::transpose(ValueId a, std::vector<int64_t> permutation) {
  std::vector<int64_t> identity(static_cast<size_t>(shape(a).rank()));
  std::iota(identity.begin(), identity.end(), 0);
  if (permutation == identity) return a;
  return add(OpKind::Transpose, {a}, {{"permutation", std::move(permutation)}});
}

ValueId GraphBuilder::broadcast(ValueId a, Shape shape, std::vector<int64_t> axes) {
  if (this->shape(a) == shape && std::is_sorted(axes.begin(), axes.end())) return a;
  return add(OpKind::Broadcast, {a}, {{"shape", shape.dims()}, {"axes", std::move(axes)}});
}

ValueId GraphBuilder::broadcast_to(ValueId a, Shape shape) {
  const int64_t rank = this->shape(a).rank();
  CHECK(rank <= shape.rank(), "{} to {}", to_string(type(a)), to_string(shape));
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), shape.rank() - rank);
  return broadcast(a, std::move(shape), std::move(axes));
}

ValueId GraphBuilder::reduce(OpKind kind, ValueId a, std::vector<int64_t> axes, bool keep) {
  CHECK(op_class(kind) == OpClass::Reduction, "{} is no reduction", op_info(kind).name);
  std::vector<int64_t> kept = shape(a).dims();
  for (int64_t axis : axes) {
    CHECK(axis >= 0 && axis < shape(a).rank(), "axis {} of {}", axis, to_string(type(a)));
    kept[static_cast<size_t>(axis)] = 1;
  }
  const bool is_index = kind == OpKind::ArgMax || kind == OpKind::ArgMin;
  if (axes.empty() && !is_index) return a;
  const ValueId reduced = add(kind, {a}, {{"axes", std::move(axes)}});
  return keep ? reshape(reduced, Shape(std::move(kept))) : reduced;
}

Rewriter::Rewriter(const Graph& graph)
    : source_(graph),
      builder_(graph.name, graph.mode, graph.rows),
      map_(graph.value_count(), std::nullopt) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    map_[i] =
        builder_.input(input.kind, input.name, graph.type(Graph::input_value(i)), input.limit);
  }
}

ValueId Rewriter::map(ValueId old) const {
  CHECK(index(old) < map_.size() && map_[index(old)].has_value(), "%{} was not copied", index(old));
  return *map_[index(old)];
}

std::vector<ValueId> Rewriter::map(std::span<const ValueId> old) const {
  std::vector<ValueId> mapped;
  mapped.reserve(old.size());
  for (ValueId value : old) mapped.push_back(map(value));
  return mapped;
}

std::vector<ValueId> Rewriter::copy(const Node& node) {
  const OriginRef outer = builder_.current_origin();
  builder_.set_origin(node.origin);
  std::vector<ValueId> results = builder_.add_node(node.kind, map(node.operands), node.attrs);
  builder_.set_origin(outer);
  for (size_t i = 0; i < results.size(); ++i) replace(node.results[i], results[i]);
  return results;
}

void Rewriter::replace(ValueId old, ValueId replacement) { map_[index(old)] = replacement; }

Graph Rewriter::finish() && {
  for (const Output& output : source_.outputs())
    builder_.output(output.kind, output.name, map(output.value));
  return std::move(builder_).build();
}

}  // namespace gradc
