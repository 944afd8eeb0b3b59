// The time model of a group: instructions where they stand in the loops, bytes once for each array.
#include <algorithm>
#include <map>

#include "ir/iteration.h"
#include "ir/op_cost.h"

namespace gradc {
namespace {

/// How many vector elements a term is computed for in one run of its loops: the points of the loops
/// around it; a scalar costs as much as a vector.
double executions(const Nest& nest, uint64_t mask) {
  size_t depth = 0;
  for (size_t d = 0; d < nest.dims.size(); ++d)
    if (((mask >> d) & 1) != 0) depth = d + 1;
  const auto vector = static_cast<size_t>(nest.vector_dim);
  double count = 1;
  bool is_vector = false;
  for (size_t d = 0; d < depth; ++d) {
    int64_t extent = nest.dims[d].extent;
    if (nest.vector_dim >= 0 && d == vector) {
      is_vector = true;
      extent = (extent + kVectorElements - 1) / kVectorElements * kVectorElements;
    }
    count *= static_cast<double>(extent);
  }
  return is_vector ? count : count * static_cast<double>(kVectorElements);
}

double access_cost_ns(const Nest& nest, const AffineMap& position, bool is_indirect) {
  if (is_indirect) return kStridedAccessCostNs;
  if (nest.vector_dim < 0) return kAccessCostNs;
  const int64_t stride = position.strides[static_cast<size_t>(nest.vector_dim)];
  return stride == 0 || stride == 1 ? kAccessCostNs : kStridedAccessCostNs;
}

/// Rows whose length is no multiple of a vector end in a part of one. If the store takes the memory
/// of something that is loaded at the same place, the next row's load waits for it.
double partial_stores_ns(const Nest& nest, const TermStore& store, uint64_t mask) {
  if (nest.vector_dim < 0 || ((mask >> nest.vector_dim) & 1) == 0) return 0;
  const int64_t extent = nest.dims[static_cast<size_t>(nest.vector_dim)].extent;
  if (extent == 0 || extent % kVectorElements == 0) return 0;
  const bool may_be_in_place =
      std::any_of(nest.terms.begin(), nest.terms.end(), [&](const Term& term) {
        return term.kind == TermKind::Load && term.position == store.position;
      });
  return may_be_in_place ? static_cast<double>(nest.points(mask) / extent) * kPartialStoreCostNs
                         : 0;
}

double term_cost_ns(const Nest& nest, const Term& term) {
  switch (term.kind) {
    case TermKind::Load:
      return executions(nest, term.dims) *
             access_cost_ns(nest, term.position, !term.indirections.empty());
    case TermKind::Apply:
      return executions(nest, term.dims) * op_cost_ns(term.op, term.dtype);
    case TermKind::Draw:
      return executions(nest, term.dims) * kDrawCostNs;
    case TermKind::Reduce:
      // A product is one multiply-add, which costs what the loads of its operands are counted for.
      return term.operands.size() > 1
                 ? 0
                 : executions(nest, ~uint64_t{0}) * op_cost_ns(OpKind::Add, term.dtype) * 2;
    case TermKind::Products:  // likewise
    case TermKind::Literal:
    case TermKind::Iota:
      return 0;
  }
  return 0;
}

/// Blocks of columns leave gaps between their pieces of the rows.
double gaps_ns(const Nest& nest) {
  const int64_t block = nest.column_block();
  if (block == 0) return 0;
  const uint64_t all = (uint64_t{1} << nest.dims.size()) - 1;
  int64_t longest_gap = 0, bytes = 0;
  const auto add = [&](uint64_t dims, DType dtype) {
    if (dims != all) return;
    const int64_t columns = nest.dims[static_cast<size_t>(nest.vector_dim)].extent;
    longest_gap = std::max(longest_gap, (columns - block) * size_bytes(dtype));
    bytes += nest.points(all) * size_bytes(dtype);
  };
  for (const Term& term : nest.terms)
    if (term.kind == TermKind::Load) add(term.dims, term.dtype);
  for (const TermStore& store : nest.stores)
    add(nest.dims_of(store), nest.terms[store.value].dtype);
  const bool is_slow = longest_gap >= kGapBytes && bytes > kSecondCacheBytes;
  return is_slow ? static_cast<double>(bytes) * kGapByteCostNs : 0;
}

/// By term: in how many phases it is computed. What depends on reduced dims is computed in each
/// that needs it; where an earlier phase has stored it, it is loaded, which `loads` counts.
std::vector<int> count_computations(const Nest& nest, std::vector<int>& loads) {
  const uint64_t kept = (uint64_t{1} << nest.kept_count()) - 1;
  const auto is_full = [&](TermId t) { return (nest.terms[t].dims & ~kept) != 0; };
  std::vector<int> counts(nest.terms.size(), 1);
  loads.assign(nest.terms.size(), 0);
  int32_t last_phase = 0;
  for (const Term& term : nest.terms) last_phase = std::max(last_phase, term.phase);
  const bool stays = nest.short_sum_dims().size() == nest.dims.size() - nest.kept_count();
  if (last_phase == 0 || stays) return counts;
  for (TermId t = 0; t < nest.terms.size(); ++t)
    if (is_full(t) && nest.terms[t].kind != TermKind::Reduce) counts[t] = 0;
  std::vector<bool> is_stored(nest.terms.size());
  for (int32_t phase = 0; phase <= last_phase; ++phase) {
    std::vector<bool> needed(nest.terms.size());
    for (const TermStore& store : nest.stores)
      if (nest.phase_of(store) == phase) needed[store.value] = true;
    for (size_t t = nest.terms.size(); t-- > 0;) {
      const Term& term = nest.terms[t];
      const bool is_fed = term.kind == TermKind::Reduce ? term.phase == phase + 1 : bool{needed[t]};
      if (!is_fed) continue;
      if (term.kind != TermKind::Reduce && is_full(static_cast<TermId>(t))) {
        ++(is_stored[t] ? loads : counts)[t];
        if (is_stored[t]) continue;
      }
      for (TermId operand : term.operands) needed[operand] = true;
      for (const TermIndirection& indirection : term.indirections) needed[indirection.index] = true;
    }
    for (const TermStore& store : nest.stores)
      if (nest.phase_of(store) == phase && nest.is_read_back(store)) is_stored[store.value] = true;
  }
  return counts;
}

}  // namespace

double estimate_cost_ns(const Graph& body, const GroupAnalysis& analysis) {
  double cost = 0;
  std::map<int32_t, int64_t> read_bytes;
  for (const Nest& nest : analysis.nests) {
    cost += gaps_ns(nest);
    std::vector<int> loads;
    const std::vector<int> counts = count_computations(nest, loads);
    for (size_t t = 0; t < nest.terms.size(); ++t) {
      const Term& term = nest.terms[t];
      cost += term_cost_ns(nest, term) * counts[t];
      cost += executions(nest, ~uint64_t{0}) * kAccessCostNs * loads[t];
      if (term.kind != TermKind::Load) continue;
      const Type& type = body.type(Graph::input_value(static_cast<size_t>(term.input)));
      int64_t& bytes = read_bytes[term.input];
      const int64_t touched = nest.points(term.dims) * size_bytes(term.dtype);
      bytes = std::max(bytes, std::min(touched, type.size_bytes()));
    }
    for (const TermStore& store : nest.stores) {
      uint64_t mask = 0;
      for (size_t d = 0; d < store.position.strides.size(); ++d)
        if (store.position.strides[d] != 0) mask |= uint64_t{1} << d;
      cost += executions(nest, mask) *
              access_cost_ns(nest, store.position, !store.indirections.empty());
      cost += partial_stores_ns(nest, store, mask);
      cost += static_cast<double>(nest.points(mask) * size_bytes(nest.terms[store.value].dtype)) *
              kByteCostNs;
    }
  }
  for (const auto& [input, bytes] : read_bytes) cost += static_cast<double>(bytes) * kByteCostNs;
  return cost;
}

}  // namespace gradc
