// Rewrite rules of reductions and contractions.
#include <algorithm>
#include <numeric>

#include "ir/op.h"
#include "passes/canonicalize_rules.h"

namespace gradc {
namespace {

using Result = std::optional<ValueId>;
using Axes = std::vector<int64_t>;

size_t at(int64_t position) { return static_cast<size_t>(position); }

bool contains(const Axes& axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

bool is_ascending(const Axes& axes) { return std::is_sorted(axes.begin(), axes.end()); }

/// a, a + 1, a + 2, ...
bool is_run(const Axes& axes) {
  for (size_t k = 1; k < axes.size(); ++k)
    if (axes[k] != axes[k - 1] + 1) return false;
  return true;
}

/// The axes of [0, rank) that are in neither list.
Axes other_axes(int64_t rank, const Axes& first, const Axes& second = {}) {
  Axes others;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!contains(first, axis) && !contains(second, axis)) others.push_back(axis);
  }
  return others;
}

Axes mapped(const Axes& axes, const Axes& map) {
  Axes result;
  for (int64_t axis : axes) result.push_back(map[at(axis)]);
  return result;
}

Result reduce_sorted_axes(Simplifier& simplifier, const Candidate& node) {
  Axes axes = node.attrs.ints("axes");
  if (is_ascending(axes)) return {};
  std::sort(axes.begin(), axes.end());
  return simplifier.add(node.kind, node.operands, {{"axes", std::move(axes)}});
}

Result reduce_unit_axes(Simplifier& simplifier, const Candidate& node) {
  const ValueId value = node.operands[0];
  const Shape shape = simplifier.shape(value);
  const Axes& axes = node.attrs.ints("axes");
  Axes dims;
  Axes reduced;
  for (int64_t axis = 0; axis < shape.rank(); ++axis) {
    if (contains(axes, axis)) {
      if (shape[axis] == 1) continue;
      reduced.push_back(static_cast<int64_t>(dims.size()));
    }
    dims.push_back(shape[axis]);
  }
  if (!axes.empty() && reduced.size() == axes.size()) return {};
  const bool is_index = node.kind == OpKind::ArgMax || node.kind == OpKind::ArgMin;
  if (reduced.empty() && is_index) {
    return simplifier.fill(Tensor::scalar(DType::I32, 0), node.type.shape);
  }
  const ValueId squeezed = simplifier.reshape(value, Shape(std::move(dims)));
  if (reduced.empty()) return squeezed;
  return simplifier.add(node.kind, {squeezed}, {{"axes", std::move(reduced)}});
}

Result reduce_of_transpose(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Transpose);
  if (inner == nullptr) return {};
  const Axes permutation = inner->attrs.ints("permutation");
  Axes axes = node.attrs.ints("axes");
  std::sort(axes.begin(), axes.end());
  const Axes source_axes = mapped(axes, permutation);
  if (!is_ascending(source_axes)) return {};
  const auto rank = static_cast<int64_t>(permutation.size());
  const Axes source_kept = other_axes(rank, source_axes);
  Axes order;
  for (int64_t axis : mapped(other_axes(rank, axes), permutation)) {
    order.push_back(std::lower_bound(source_kept.begin(), source_kept.end(), axis) -
                    source_kept.begin());
  }
  const ValueId reduced = simplifier.add(node.kind, {inner->operands[0]}, {{"axes", source_axes}});
  return simplifier.transpose(reduced, std::move(order));
}

Attrs dot_attrs(Axes lhs_batch, Axes rhs_batch, Axes lhs_contract, Axes rhs_contract) {
  return {{"lhs_batch", std::move(lhs_batch)},
          {"rhs_batch", std::move(rhs_batch)},
          {"lhs_contract", std::move(lhs_contract)},
          {"rhs_contract", std::move(rhs_contract)}};
}

Result dot_of_transpose(Simplifier& simplifier, const Candidate& node, size_t operand,
                        const char* batch_name, const char* contract_name) {
  const Node* inner = simplifier.made_by(node.operands[operand], OpKind::Transpose);
  if (inner == nullptr) return {};
  const Axes& permutation = inner->attrs.ints("permutation");
  const Axes& batch = node.attrs.ints(batch_name);
  const Axes& contract = node.attrs.ints(contract_name);
  const Axes free = other_axes(static_cast<int64_t>(permutation.size()), batch, contract);
  if (!is_ascending(mapped(free, permutation))) return {};
  // Contracted axes that are one run in memory stay so: a library takes them as one.
  if (is_run(contract) && !is_run(mapped(contract, permutation))) return {};
  Attrs attrs = node.attrs;
  attrs.set(batch_name, mapped(batch, permutation));
  attrs.set(contract_name, mapped(contract, permutation));
  std::vector<ValueId> operands = node.operands;
  operands[operand] = inner->operands[0];
  return simplifier.add(OpKind::Dot, std::move(operands), std::move(attrs));
}

Result dot_of_transposed_left(Simplifier& simplifier, const Candidate& node) {
  return dot_of_transpose(simplifier, node, 0, "lhs_batch", "lhs_contract");
}

Result dot_of_transposed_right(Simplifier& simplifier, const Candidate& node) {
  return dot_of_transpose(simplifier, node, 1, "rhs_batch", "rhs_contract");
}

Result transpose_of_dot(Simplifier& simplifier, const Candidate& node) {
  const Node* inner = simplifier.made_by(node.operands[0], OpKind::Dot);
  if (inner == nullptr) return {};
  const Axes& permutation = node.attrs.ints("permutation");
  const Axes& lhs_batch = inner->attrs.ints("lhs_batch");
  const Axes& rhs_batch = inner->attrs.ints("rhs_batch");
  const Axes& lhs_contract = inner->attrs.ints("lhs_contract");
  const Axes& rhs_contract = inner->attrs.ints("rhs_contract");
  const auto batch_size = static_cast<int64_t>(lhs_batch.size());
  const int64_t left_end =
      simplifier.shape(inner->operands[0]).rank() - static_cast<int64_t>(lhs_contract.size());
  const Axes batch_order(permutation.begin(), permutation.begin() + batch_size);
  if (std::any_of(batch_order.begin(), batch_order.end(),
                  [&](int64_t axis) { return axis >= batch_size; })) {
    return {};
  }
  Axes straight = other_axes(node.type.shape.rank(), batch_order);
  Axes swapped = straight;
  std::rotate(swapped.begin(), swapped.begin() + (left_end - batch_size), swapped.end());
  const Axes order(permutation.begin() + batch_size, permutation.end());
  if (order != straight && order != swapped) return {};
  Axes new_lhs_batch = mapped(batch_order, lhs_batch);
  Axes new_rhs_batch = mapped(batch_order, rhs_batch);
  const ValueId left = inner->operands[0];
  const ValueId right = inner->operands[1];
  if (order == straight) {
    return simplifier.add(
        OpKind::Dot, {left, right},
        dot_attrs(std::move(new_lhs_batch), std::move(new_rhs_batch), lhs_contract, rhs_contract));
  }
  return simplifier.add(
      OpKind::Dot, {right, left},
      dot_attrs(std::move(new_rhs_batch), std::move(new_lhs_batch), rhs_contract, lhs_contract));
}

constexpr RewriteRule kRules[] = {
    {OpKind::Dot, "dot(transpose(a), b) ==> dot(a, b) along other axes", dot_of_transposed_left},
    {OpKind::Dot, "dot(a, transpose(b)) ==> dot(a, b) along other axes", dot_of_transposed_right},
    {OpKind::Transpose, "transpose(dot(a, b)) ==> dot(b, a) if it swaps the operands' axes",
     transpose_of_dot},
};

constexpr OpKind kReductions[] = {OpKind::Sum,  OpKind::Max,    OpKind::Min,
                                  OpKind::Prod, OpKind::ArgMax, OpKind::ArgMin};

}  // namespace

std::span<const RewriteRule> contraction_rules() {
  static const std::vector<RewriteRule> rules = [] {
    std::vector<RewriteRule> all(std::begin(kRules), std::end(kRules));
    for (OpKind kind : kReductions) {
      all.push_back(
          {kind, "reduce(a, unsorted axes) ==> reduce(a, sorted axes)", reduce_sorted_axes});
      all.push_back(
          {kind,
           "reduce(a) ==> reduce(reshape(a)) without axes of size 1 (a sum of one -0 may be +0)",
           reduce_unit_axes});
      all.push_back({kind,
                     "reduce(transpose(a)) ==> transpose(reduce(a)) if the reduced axes keep "
                     "their order",
                     reduce_of_transpose});
    }
    return all;
  }();
  return rules;
}

}  // namespace gradc
