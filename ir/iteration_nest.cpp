// Builds a nest: splits dims until all reshapes are affine, then merges the dims that go together.
#include "ir/iteration_nest.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "ir/op_cost.h"

namespace gradc {
namespace {

/// Points of a short sum, and terms in all of them.
constexpr int64_t kMaxWrittenPoints = 9;
constexpr int64_t kMaxWrittenTerms = 512;

/// Dims that reshapes can split a domain into; masks have 64 bits.
constexpr size_t kMaxDims = 24;

/// Where the factors of each source dim stand in the domain.
struct Refinement {
  std::vector<std::vector<int64_t>> factors;  // by source dim, outermost first

  std::vector<IterationDim> dims(const NestPlan& plan) const {
    std::vector<IterationDim> all;
    for (size_t s = 0; s < factors.size(); ++s)
      for (int64_t factor : factors[s]) all.push_back({factor, plan.source_dims[s].reduced});
    return all;
  }
  /// The index on source dim `source` at a point.
  AffineMap index_of(size_t source, size_t dim_count) const {
    size_t position = 0;
    for (size_t s = 0; s < source; ++s) position += factors[s].size();
    AffineMap map = constant_map(dim_count);
    int64_t stride = 1;
    for (size_t f = factors[source].size(); f-- > 0;) {
      map.strides[position + f] = stride;
      stride *= factors[source][f];
    }
    return map;
  }
  int64_t extent(size_t source) const {
    return std::accumulate(factors[source].begin(), factors[source].end(), int64_t{1},
                           std::multiplies<>());
  }
  void split(const SplitRequest& request) {
    size_t dim = request.dim;
    for (std::vector<int64_t>& of_source : factors) {
      if (dim >= of_source.size()) {
        dim -= of_source.size();
        continue;
      }
      const auto at = of_source.begin() + static_cast<std::ptrdiff_t>(dim);
      *at /= request.inner;
      of_source.insert(at + 1, request.inner);
      return;
    }
    CHECK(false, "no dim {}", request.dim);
  }
};

ElementIndex root_index(const NestRoot& root, const Refinement& refinement, size_t dim_count) {
  ElementIndex at;
  for (const std::vector<int32_t>& sources : root.source_dims) {
    AffineMap map = constant_map(dim_count, root.fixed.empty() ? 0 : root.fixed[at.size()]);
    for (int32_t source : sources) {
      for (int64_t& stride : map.strides) stride *= refinement.extent(static_cast<size_t>(source));
      add_scaled(map, refinement.index_of(static_cast<size_t>(source), dim_count), 1);
    }
    at.push_back({std::move(map), {}});
  }
  return at;
}

TermStore store_of(TermBuilder& builder, const NestRoot& root, const ElementIndex& at,
                   size_t dim_count) {
  TermStore store{root.output, constant_map(dim_count, root.offset), {}, 0, false};
  for (size_t axis = 0; axis < at.size(); ++axis)
    add_scaled(store.position, at[axis].map, root.strides[axis]);
  if (root.scatter) {
    const Shape& indices = builder.shape(root.scatter->indices);
    const auto first = at.begin() + static_cast<std::ptrdiff_t>(root.scatter->axis);
    const ElementIndex lookup(first, first + static_cast<std::ptrdiff_t>(indices.rank()));
    const TermId position = builder.demand(root.scatter->indices, lookup);
    store.indirections.push_back({position, root.scatter->size, root.scatter->stride});
    store.add = true;
  }
  store.add = store.add || root.adds;
  store.value = root.is_zero ? builder.literal(builder.dtype(root.value), -0.0)
                             : builder.demand(root.value, root.is_fill ? ElementIndex{} : at);
  return store;
}

/// Every affine map of a nest.
template <typename Visit>
void for_each_map(Nest& nest, Visit visit) {
  for (Term& term : nest.terms) visit(term.position);
  for (TermStore& store : nest.stores) visit(store.position);
}

void erase_dim(Nest& nest, size_t dim) {
  const auto offset = static_cast<std::ptrdiff_t>(dim);
  for_each_map(nest, [&](AffineMap& map) { map.strides.erase(map.strides.begin() + offset); });
  nest.dims.erase(nest.dims.begin() + offset);
  const uint64_t below = (uint64_t{1} << dim) - 1;
  for (Term& term : nest.terms)
    term.dims = (term.dims & below) | ((term.dims >> 1) & ~below) |
                (((term.dims >> dim) & 1) != 0 && dim > 0 ? uint64_t{1} << (dim - 1) : 0);
}

/// One loop for dims `outer` and outer + 1 if no map can tell the difference.
void merge_dims(Nest& nest, size_t outer) {
  const int64_t inner_extent = nest.dims[outer + 1].extent;
  bool is_mergeable = nest.dims[outer].reduced == nest.dims[outer + 1].reduced;
  for_each_map(nest, [&](AffineMap& map) {
    is_mergeable = is_mergeable && map.strides[outer] == map.strides[outer + 1] * inner_extent;
  });
  if (!is_mergeable) return;
  for_each_map(nest, [&](AffineMap& map) { map.strides[outer] = map.strides[outer + 1]; });
  nest.dims[outer].extent *= inner_extent;
  erase_dim(nest, outer + 1);
}

/// Merges what can be merged, except that the vector loop of a horizontal reduction stays as long
/// as its form says.
void merge_all_dims(Nest& nest, const std::optional<ReductionForm>& form) {
  for (size_t d = nest.dims.size(); d-- > 1;) {
    const bool is_boundary = form && form->is_horizontal && nest.dims[d].reduced &&
                             nest.points(~uint64_t{0} << d) == form->last_run;
    if (!is_boundary) merge_dims(nest, d - 1);
  }
}

/// Empty if the vector loop of a horizontal reduction is the one its form asks for.
std::string choose_vector_dim(Nest& nest, const std::optional<ReductionForm>& form) {
  const size_t kept = nest.kept_count();
  if (form && form->is_horizontal) {
    if (form->count != 0 && nest.dims.back().extent != form->last_run)
      return "the operands of a reduction do not lie along its vector loop";
    nest.vector_dim = static_cast<int32_t>(nest.dims.size()) - 1;
  } else {
    nest.vector_dim = static_cast<int32_t>(kept) - 1;
  }
  return {};
}

uint64_t mask_of(const AffineMap& map) {
  uint64_t mask = 0;
  for (size_t d = 0; d < map.strides.size(); ++d)
    if (map.strides[d] != 0) mask |= uint64_t{1} << d;
  return mask;
}

int64_t element_count(const NestPlan& plan, const NestRoot& root) {
  int64_t count = 1;
  for (const std::vector<int32_t>& sources : root.source_dims)
    for (int32_t source : sources) count *= plan.source_dims[static_cast<size_t>(source)].extent;
  return count;
}

/// Each element is stored by one point of the loops around its store, or the loops would race.
/// Stores are in the order of the plan's roots.
std::string find_store_fault(const Nest& nest, const NestPlan& plan) {
  const uint64_t kept = (uint64_t{1} << nest.kept_count()) - 1;
  const uint64_t all = (uint64_t{1} << nest.dims.size()) - 1;
  for (size_t s = 0; s < nest.stores.size(); ++s) {
    const TermStore& store = nest.stores[s];
    if (store.add || element_count(plan, plan.roots[s]) == 0) continue;
    const uint64_t used = mask_of(store.position);
    const uint64_t computed = used | nest.terms[store.value].dims;
    const bool is_row_level = (computed & ~kept) == 0;
    if (used != (is_row_level ? kept : all) || nest.points(used) == 0)
      return "a result has fewer elements than the loops have points";
  }
  return {};
}

}  // namespace

size_t Nest::kept_count() const {
  return static_cast<size_t>(std::count_if(dims.begin(), dims.end(),
                                           [](const IterationDim& dim) { return !dim.reduced; }));
}

uint64_t Nest::dims_of(const TermStore& store) const {
  uint64_t mask = terms[store.value].dims;
  for (size_t d = 0; d < dims.size(); ++d)
    if (store.position.strides[d] != 0) mask |= uint64_t{1} << d;
  return mask;
}

int32_t Nest::phase_of(const TermStore& store) const {
  int32_t phase = terms[store.value].phase;
  for (const TermIndirection& indirection : store.indirections)
    phase = std::max(phase, terms[indirection.index].phase);
  return phase;
}

bool Nest::is_read_back(const TermStore& store) const {
  const uint64_t all = (uint64_t{1} << dims.size()) - 1;
  const TermKind kind = terms[store.value].kind;
  return !store.add && store.indirections.empty() && dims_of(store) == all && vector_dim >= 0 &&
         dims[static_cast<size_t>(vector_dim)].extent % kVectorElements == 0 &&
         (kind == TermKind::Apply || kind == TermKind::Draw);
}

std::vector<size_t> Nest::short_sum_dims() const {
  std::vector<size_t> short_dims;
  const bool is_horizontal = vector_dim >= static_cast<int32_t>(kept_count());
  const bool has_sums = std::any_of(terms.begin(), terms.end(),
                                    [](const Term& term) { return term.kind == TermKind::Reduce; });
  if (is_horizontal || !has_sums || points(~uint64_t{0}) == 0) return short_dims;
  int64_t count = 1;
  for (size_t d = dims.size(); d-- > kept_count();) {
    count *= dims[d].extent;
    const bool is_short = count <= kMaxWrittenPoints &&
                          count * static_cast<int64_t>(terms.size()) <= kMaxWrittenTerms;
    if (!is_short) break;
    short_dims.insert(short_dims.begin(), d);
  }
  return short_dims;
}

int64_t Nest::points(uint64_t mask) const {
  int64_t count = 1;
  for (size_t d = 0; d < dims.size(); ++d)
    if (((mask >> d) & 1) != 0) count *= dims[d].extent;
  return count;
}

std::variant<Nest, std::string> build_nest(const Graph& body, const NestPlan& plan) {
  Refinement refinement;
  for (const IterationDim& dim : plan.source_dims)
    refinement.factors.push_back(dim.extent == 1 ? std::vector<int64_t>{}
                                                 : std::vector<int64_t>{dim.extent});
  while (true) {
    Nest nest{refinement.dims(plan), {}, {}, -1};
    const size_t dim_count = nest.dims.size();
    if (dim_count > kMaxDims) return std::string("reshapes cut the loops into too many pieces");
    TermBuilder builder(body, nest.dims, plan.form);
    for (const NestRoot& root : plan.roots) {
      nest.stores.push_back(
          store_of(builder, root, root_index(root, refinement, dim_count), dim_count));
      if (builder.has_failed()) break;
    }
    if (builder.split()) {
      refinement.split(*builder.split());
      continue;
    }
    if (builder.has_failed()) return builder.why_not();
    nest.terms = builder.take_terms();
    merge_all_dims(nest, plan.form);
    std::string fault = choose_vector_dim(nest, plan.form);
    if (fault.empty()) fault = find_store_fault(nest, plan);
    if (!fault.empty()) return fault;
    return nest;
  }
}

}  // namespace gradc
