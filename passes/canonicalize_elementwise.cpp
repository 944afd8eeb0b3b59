// Rewrite rules of elementwise ops.
#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "passes/canonicalize_rules.h"

namespace gradc {
namespace {

using Result = std::optional<ValueId>;

/// Does every value of `from` have an equal value in `to`?
bool is_widening(DType from, DType to) {
  switch (from) {
    case DType::Bool:
      return true;
    case DType::U8:
      return to != DType::Bool;
    case DType::I32:
      return to == DType::I32 || to == DType::I64 || to == DType::F64;
    case DType::I64:
      return to == DType::I64;
    case DType::BF16:
      return to == DType::BF16 || to == DType::F32 || to == DType::F64;
    case DType::F16:
      return to == DType::F16 || to == DType::F32 || to == DType::F64;
    case DType::F32:
      return to == DType::F32 || to == DType::F64;
    case DType::F64:
      return to == DType::F64;
  }
  return false;
}

Result operand_of(Simplifier& simplifier, ValueId value, OpKind kind) {
  const Node* node = simplifier.made_by(value, kind);
  return node != nullptr ? Result(node->operands[0]) : std::nullopt;
}

/// b if value is neg(b), also under a broadcast.
Result without_negation(Simplifier& simplifier, ValueId value) {
  const Node* broadcast = simplifier.made_by(value, OpKind::Broadcast);
  if (broadcast == nullptr) return operand_of(simplifier, value, OpKind::Neg);
  const Result source = operand_of(simplifier, broadcast->operands[0], OpKind::Neg);
  if (!source) return {};
  const std::vector<int64_t> axes = broadcast->attrs.ints("axes");
  return simplifier.broadcast(*source, Shape(simplifier.shape(value)), axes);
}

Result double_negation(Simplifier& simplifier, const Candidate& node) {
  return operand_of(simplifier, node.operands[0], node.kind);
}

Result convert_to_same(Simplifier& simplifier, const Candidate& node) {
  const ValueId value = node.operands[0];
  return simplifier.dtype(value) == node.type.dtype ? Result(value) : std::nullopt;
}

Result convert_of_widening(Simplifier& simplifier, const Candidate& node) {
  const Result source = operand_of(simplifier, node.operands[0], OpKind::Convert);
  if (!source || !is_widening(simplifier.dtype(*source), simplifier.dtype(node.operands[0]))) {
    return {};
  }
  return simplifier.convert(*source, node.type.dtype);
}

Result add_negative_zero(Simplifier& simplifier, const Candidate& node) {
  const double zero = is_float(node.type.dtype) ? -0.0 : 0.0;
  if (simplifier.is_uniform(node.operands[1], zero)) return node.operands[0];
  if (simplifier.is_uniform(node.operands[0], zero)) return node.operands[1];
  return {};
}

Result add_of_negation(Simplifier& simplifier, const Candidate& node) {
  const ValueId a = node.operands[0];
  const ValueId b = node.operands[1];
  if (const Result c = without_negation(simplifier, b)) {
    return simplifier.add(OpKind::Sub, {a, *c});
  }
  if (const Result c = without_negation(simplifier, a)) {
    return simplifier.add(OpKind::Sub, {b, *c});
  }
  return {};
}

Result subtract_zero(Simplifier& simplifier, const Candidate& node) {
  return simplifier.is_uniform(node.operands[1], 0.0) ? Result(node.operands[0]) : std::nullopt;
}

Result subtract_negation(Simplifier& simplifier, const Candidate& node) {
  const Result c = without_negation(simplifier, node.operands[1]);
  return c ? Result(simplifier.add(OpKind::Add, {node.operands[0], *c})) : std::nullopt;
}

Result multiply_by_one(Simplifier& simplifier, const Candidate& node) {
  if (simplifier.is_uniform(node.operands[1], 1.0)) return node.operands[0];
  if (simplifier.is_uniform(node.operands[0], 1.0)) return node.operands[1];
  return {};
}

Result both_negated(Simplifier& simplifier, const Candidate& node) {
  const Result a = without_negation(simplifier, node.operands[0]);
  const Result b = without_negation(simplifier, node.operands[1]);
  if (!a || !b || !is_float(node.type.dtype)) return {};
  return simplifier.add(node.kind, {*a, *b});
}

Result divide_by_one(Simplifier& simplifier, const Candidate& node) {
  return simplifier.is_uniform(node.operands[1], 1.0) ? Result(node.operands[0]) : std::nullopt;
}

Result divide_by_power_of_two(Simplifier& simplifier, const Candidate& node) {
  const std::optional<Tensor> divisor = simplifier.uniform(node.operands[1]);
  const DType dtype = node.type.dtype;
  if (!divisor || (dtype != DType::F32 && dtype != DType::F64)) return {};
  int exponent = 0;
  const double mantissa = std::frexp(divisor->at(0), &exponent);
  const int limit = dtype == DType::F32 ? 125 : 1021;
  if (std::abs(mantissa) != 0.5 || std::abs(exponent) > limit) return {};
  const ValueId reciprocal =
      simplifier.fill(Tensor::scalar(dtype, 1.0 / divisor->at(0)), node.type.shape);
  return simplifier.add(OpKind::Mul, {node.operands[0], reciprocal});
}

Result same_operands(Simplifier&, const Candidate& node) {
  return node.operands[0] == node.operands[1] ? Result(node.operands[0]) : std::nullopt;
}

/// Of `and` with true and of `or` with false.
Result neutral_condition(Simplifier& simplifier, const Candidate& node) {
  const double neutral = node.kind == OpKind::And ? 1.0 : 0.0;
  if (simplifier.is_uniform(node.operands[1], neutral)) return node.operands[0];
  if (simplifier.is_uniform(node.operands[0], neutral)) return node.operands[1];
  return {};
}

/// Of `and` with false and of `or` with true.
Result deciding_condition(Simplifier& simplifier, const Candidate& node) {
  const double deciding = node.kind == OpKind::And ? 0.0 : 1.0;
  if (simplifier.is_uniform(node.operands[1], deciding)) return node.operands[1];
  if (simplifier.is_uniform(node.operands[0], deciding)) return node.operands[0];
  return {};
}

Result select_same(Simplifier&, const Candidate& node) {
  return node.operands[1] == node.operands[2] ? Result(node.operands[1]) : std::nullopt;
}

Result select_by_constant(Simplifier& simplifier, const Candidate& node) {
  const std::optional<Tensor> condition = simplifier.uniform(node.operands[0]);
  if (!condition) return {};
  return node.operands[condition->at(0) != 0.0 ? 1 : 2];
}

Result select_by_negation(Simplifier& simplifier, const Candidate& node) {
  const Result condition = operand_of(simplifier, node.operands[0], OpKind::Not);
  if (!condition) return {};
  return simplifier.add(OpKind::Select, {*condition, node.operands[2], node.operands[1]});
}

/// Where a broadcast reads from; the same for all broadcasts with equal sources and axes.
struct BroadcastForm {
  Shape source;
  std::vector<int64_t> axes;
  friend bool operator==(const BroadcastForm&, const BroadcastForm&) = default;
};

/// The form that all operands which are not uniform share; a scalar's if all are uniform.
std::optional<BroadcastForm> common_form(const Simplifier& simplifier, const Candidate& node) {
  std::optional<BroadcastForm> form;
  for (ValueId operand : node.operands) {
    if (simplifier.uniform(operand)) continue;
    const Node* broadcast = simplifier.made_by(operand, OpKind::Broadcast);
    if (broadcast == nullptr) return {};
    BroadcastForm own{simplifier.shape(broadcast->operands[0]), broadcast->attrs.ints("axes")};
    if (form && *form != own) return {};
    form = std::move(own);
  }
  return form ? form : BroadcastForm{};
}

Result elementwise_of_broadcasts(Simplifier& simplifier, const Candidate& node) {
  if (node.type.shape.rank() == 0) return {};
  const std::optional<BroadcastForm> form = common_form(simplifier, node);
  if (!form || form->source == node.type.shape) return {};
  std::vector<ValueId> sources;
  for (ValueId operand : node.operands) {
    const std::optional<Tensor> scalar = simplifier.uniform(operand);
    sources.push_back(scalar ? simplifier.fill(*scalar, form->source)
                             : simplifier.made_by(operand, OpKind::Broadcast)->operands[0]);
  }
  const ValueId value = simplifier.add(node.kind, std::move(sources), node.attrs);
  return simplifier.broadcast(value, node.type.shape, form->axes);
}

/// Are a and b equal but for axes of size 1, of which b has more?
bool has_more_unit_axes(const Shape& a, const Shape& b) {
  int64_t next = 0;
  for (int64_t dim : b) {
    if (next < a.rank() && a[next] == dim) {
      ++next;
    } else if (dim != 1) {
      return false;
    }
  }
  return next == a.rank() && a.rank() < b.rank();
}

Result elementwise_of_reshapes(Simplifier& simplifier, const Candidate& node) {
  std::optional<Shape> shape;
  for (ValueId operand : node.operands) {
    if (simplifier.uniform(operand)) continue;
    const Node* reshape = simplifier.made_by(operand, OpKind::Reshape);
    if (reshape == nullptr) return {};
    const Shape& source = simplifier.shape(reshape->operands[0]);
    if (shape ? *shape != source : !has_more_unit_axes(source, node.type.shape)) return {};
    shape = source;
  }
  if (!shape) return {};
  std::vector<ValueId> sources;
  for (ValueId operand : node.operands) {
    const std::optional<Tensor> scalar = simplifier.uniform(operand);
    sources.push_back(scalar ? simplifier.fill(*scalar, *shape)
                             : simplifier.made_by(operand, OpKind::Reshape)->operands[0]);
  }
  return simplifier.reshape(simplifier.add(node.kind, std::move(sources), node.attrs),
                            node.type.shape);
}

constexpr RewriteRule kRules[] = {
    {OpKind::Neg, "neg(neg(a)) ==> a", double_negation},
    {OpKind::Not, "not(not(a)) ==> a", double_negation},
    {OpKind::Convert, "convert(a, dtype(a)) ==> a", convert_to_same},
    {OpKind::Convert,
     "convert(convert(a, d), e) ==> convert(a, e) if d holds all values of dtype(a)",
     convert_of_widening},
    {OpKind::Add, "a + -0 ==> a; of integers a + 0 ==> a", add_negative_zero},
    {OpKind::Add, "a + neg(b) ==> a - b", add_of_negation},
    {OpKind::Sub, "a - 0 ==> a", subtract_zero},
    {OpKind::Sub, "a - neg(b) ==> a + b", subtract_negation},
    {OpKind::Mul, "a * 1 ==> a", multiply_by_one},
    {OpKind::Mul, "neg(a) * neg(b) ==> a * b", both_negated},
    {OpKind::Div, "a / 1 ==> a", divide_by_one},
    {OpKind::Div, "neg(a) / neg(b) ==> a / b", both_negated},
    {OpKind::Div, "a / 2^k ==> a * 2^-k", divide_by_power_of_two},
    {OpKind::Maximum, "maximum(a, a) ==> a", same_operands},
    {OpKind::Minimum, "minimum(a, a) ==> a", same_operands},
    {OpKind::And, "a and a ==> a", same_operands},
    {OpKind::And, "a and true ==> a", neutral_condition},
    {OpKind::And, "a and false ==> false", deciding_condition},
    {OpKind::Or, "a or a ==> a", same_operands},
    {OpKind::Or, "a or false ==> a", neutral_condition},
    {OpKind::Or, "a or true ==> true", deciding_condition},
    {OpKind::Select, "select(c, a, a) ==> a", select_same},
    {OpKind::Select, "select(true, a, b) ==> a; select(false, a, b) ==> b", select_by_constant},
    {OpKind::Select, "select(not(c), a, b) ==> select(c, b, a)", select_by_negation},
};

constexpr std::string_view kOfBroadcasts =
    "f(broadcast(a), broadcast(b)) ==> broadcast(f(a, b)) if same source shape and axes";
constexpr std::string_view kOfReshapes =
    "f(reshape(a), reshape(b)) ==> reshape(f(a, b)) if reshape only adds axes of size 1";

}  // namespace

std::span<const RewriteRule> elementwise_rules() {
  static const std::vector<RewriteRule> rules = [] {
    std::vector<RewriteRule> all(std::begin(kRules), std::end(kRules));
    for (OpKind kind : kAllOpKinds) {
      if (op_class(kind) != OpClass::Elementwise) continue;
      all.push_back({kind, kOfBroadcasts, elementwise_of_broadcasts});
      all.push_back({kind, kOfReshapes, elementwise_of_reshapes});
    }
    return all;
  }();
  return rules;
}

}  // namespace gradc
