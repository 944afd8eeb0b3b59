// Adds nodes to a graph, simplifying each on the way in.
#include "passes/simplifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/op.h"

namespace gradc {

Simplifier::Simplifier(GraphBuilder& builder, std::span<const std::span<const RewriteRule>> rules)
    : builder_(builder), rules_by_kind_(std::size(kAllOpKinds)) {
  for (const std::span<const RewriteRule> family : rules) {
    for (const RewriteRule& rule : family) {
      rules_by_kind_[static_cast<size_t>(rule.kind)].push_back(&rule);
    }
  }
}

ValueId Simplifier::add(OpKind kind, std::vector<ValueId> operands, Attrs attrs) {
  const std::vector<const RewriteRule*>& rules = rules_by_kind_[static_cast<size_t>(kind)];
  if (rules.empty()) return builder_.add(kind, std::move(operands), std::move(attrs));
  Candidate candidate{kind, std::move(operands), std::move(attrs), {}};
  std::vector<Type> types;
  for (ValueId operand : candidate.operands) types.push_back(type(operand));
  candidate.type = infer_types(kind, {types, candidate.attrs})[0];
  for (const RewriteRule* rule : rules) {
    const std::optional<ValueId> replacement = rule->apply(*this, candidate);
    if (!replacement) continue;
    CHECK(type(*replacement) == candidate.type, "rule {} turns {} into {}", rule->equation,
          to_string(candidate.type), to_string(type(*replacement)));
    return *replacement;
  }
  return builder_.add(kind, std::move(candidate.operands), std::move(candidate.attrs));
}

const Node* Simplifier::made_by(ValueId value, OpKind kind) const {
  const Node* node = builder_.graph().defining_node(value);
  return node != nullptr && node->kind == kind ? node : nullptr;
}

std::optional<Tensor> Simplifier::uniform(ValueId value) const {
  const Node* node = builder_.graph().defining_node(value);
  while (node != nullptr) {
    if (node->kind == OpKind::Constant) {
      const Tensor& tensor = node->attrs.get<Tensor>("value");
      return tensor.size() == 1 ? std::optional(tensor.reshaped({})) : std::nullopt;
    }
    if (node->kind != OpKind::Broadcast && node->kind != OpKind::Reshape) return std::nullopt;
    node = builder_.graph().defining_node(node->operands[0]);
  }
  return std::nullopt;
}

bool Simplifier::is_uniform(ValueId value, double number) const {
  const std::optional<Tensor> scalar = uniform(value);
  return scalar && scalar->at(0) == number && std::signbit(scalar->at(0)) == std::signbit(number);
}

ValueId Simplifier::fill(const Tensor& scalar, const Shape& to) {
  return builder_.broadcast(builder_.constant(scalar), Shape(to), {});
}

ValueId Simplifier::convert(ValueId value, DType to) {
  if (dtype(value) == to) return value;
  return add(OpKind::Convert, {value}, {{"dtype", to}});
}

ValueId Simplifier::reshape(ValueId value, Shape to) {
  if (shape(value) == to) return value;
  return add(OpKind::Reshape, {value}, {{"shape", to.dims()}});
}

ValueId Simplifier::transpose(ValueId value, std::vector<int64_t> permutation) {
  return add(OpKind::Transpose, {value}, {{"permutation", std::move(permutation)}});
}

ValueId Simplifier::broadcast(ValueId value, Shape to, std::vector<int64_t> axes) {
  return add(OpKind::Broadcast, {value}, {{"shape", to.dims()}, {"axes", std::move(axes)}});
}

ValueId Simplifier::slice(ValueId value, const std::vector<int64_t>& start, const Shape& to,
                          const std::vector<int64_t>& stride) {
  std::vector<int64_t> limit = start;
  for (size_t axis = 0; axis < limit.size(); ++axis) {
    const int64_t size = to[static_cast<int64_t>(axis)];
    if (size > 0) limit[axis] += (size - 1) * stride[axis] + 1;
  }
  return add(OpKind::Slice, {value}, {{"start", start}, {"limit", limit}, {"stride", stride}});
}

}  // namespace gradc
