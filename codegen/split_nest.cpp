// Chooses blocks and tiles and rewrites the maps of the nest.
#include "codegen/split_nest.h"

#include <algorithm>

namespace gradc {
namespace {

constexpr int64_t kMinRows = 8;
constexpr int64_t kMinBlock = 64;
constexpr int64_t kMaxEvenBlock = 128;
constexpr int64_t kMaxBlock = 1024;
constexpr int64_t kBlockStep = 16;
/// As many sums as hide the latency of a multiply-add.
constexpr int64_t kMaxTile = 8;

/// The largest even block that leaves two of them or more; else all columns; 0 where neither fits.
int64_t choose_block(int64_t columns) {
  for (int64_t block = kMaxEvenBlock; block >= kMinBlock; block -= kBlockStep)
    if (columns % block == 0 && columns > block) return block;
  return columns >= kMinBlock && columns <= kMaxBlock ? columns : 0;
}

bool are_sums_in_one_phase(const Nest& nest) {
  bool has_sums = false;
  uint64_t reduced = 0;
  for (size_t d = nest.kept_count(); d < nest.dims.size(); ++d) reduced |= uint64_t{1} << d;
  for (const Term& term : nest.terms) {
    if (term.kind == TermKind::Reduce) {
      if (term.op != OpKind::Sum || term.operands.size() != 1 || term.phase != 1) return false;
      has_sums = true;
    } else if (term.phase > 0 && (term.dims & reduced) != 0) {
      return false;
    }
  }
  const bool reads_sums_in_rows =
      std::any_of(nest.stores.begin(), nest.stores.end(), [&](const TermStore& store) {
        bool is_full = false;
        for (size_t d = nest.kept_count(); d < nest.dims.size(); ++d)
          is_full = is_full || store.position.strides[d] != 0;
        return store.add || (is_full && nest.terms[store.value].phase > 0);
      });
  return has_sums && !reads_sums_in_rows;
}

void split(AffineMap& map, size_t dim, int64_t block) {
  const int64_t stride = map.strides[dim];
  map.strides[dim] = stride * block;
  map.strides.insert(map.strides.begin() + static_cast<std::ptrdiff_t>(dim) + 1, stride);
}

SplitNest split_dim(const Nest& nest, size_t dim, int64_t inner) {
  SplitNest split_nest{nest, dim + 1};
  Nest& result = split_nest.nest;
  result.dims[dim].extent /= inner;
  result.dims.insert(result.dims.begin() + static_cast<std::ptrdiff_t>(dim) + 1, {inner, false});
  if (result.vector_dim >= static_cast<int32_t>(dim)) ++result.vector_dim;
  for (Term& term : result.terms) {
    split(term.position, dim, inner);
    const uint64_t below = (uint64_t{1} << dim) - 1;
    const uint64_t both = ((term.dims >> dim) & 1) != 0 ? uint64_t{3} << dim : 0;
    term.dims = (term.dims & below) | both | ((term.dims >> (dim + 1)) << (dim + 2));
  }
  for (TermStore& store : result.stores) split(store.position, dim, inner);
  return split_nest;
}

/// Are all reductions sums of products, in one phase?
bool are_products(const Nest& nest) {
  bool has_products = false;
  for (const Term& term : nest.terms) {
    if (term.kind != TermKind::Reduce) continue;
    if (term.operands.size() != 2 || term.phase != 1) return false;
    has_products = true;
  }
  return has_products;
}

}  // namespace

std::optional<SplitNest> block_columns(const Nest& nest) {
  const size_t kept = nest.kept_count();
  if (kept == 0 || kept == nest.dims.size()) return std::nullopt;
  const size_t dim = kept - 1;
  if (nest.vector_dim != static_cast<int32_t>(dim)) return std::nullopt;
  int64_t rows = 1;
  for (size_t d = kept; d < nest.dims.size(); ++d) rows *= nest.dims[d].extent;
  const int64_t block = choose_block(nest.dims[dim].extent);
  if (rows < kMinRows || block == 0 || !are_sums_in_one_phase(nest)) return std::nullopt;
  return split_dim(nest, dim, block);
}

std::optional<SplitNest> tile_rows(const Nest& nest) {
  const size_t kept = nest.kept_count();
  if (kept < 2 || kept == nest.dims.size() || !are_products(nest)) return std::nullopt;
  if (nest.vector_dim != static_cast<int32_t>(kept) - 1) return std::nullopt;
  const size_t dim = kept - 2;
  for (int64_t tile = kMaxTile; tile >= 2; --tile)
    if (nest.dims[dim].extent > 0 && nest.dims[dim].extent % tile == 0)
      return split_dim(nest, dim, tile);
  return std::nullopt;
}

}  // namespace gradc
