// Chooses blocks and tiles and rewrites the maps of the nest.
#include "codegen/split_nest.h"

#include <algorithm>
#include <span>

#include "ir/matmul_pattern.h"

namespace gradc {
namespace {

/// Rows of fewer columns are short.
constexpr int64_t kShortColumns = 64;
/// A chunk of rows: long enough that loading a panel again for the next one costs nothing.
constexpr int64_t kChunkRows = 32;
/// Fewer parts than this are shared badly among threads.
constexpr int64_t kMinParts = 4;
constexpr int64_t kVector = 16;
/// Of 4 bytes: half of a second cache of 256 KiB, and little beside a thread's stack.
constexpr int64_t kMaxBlockElements = 32768;
/// Sums of more products than this are taken in parts: what they read is more than a second cache
/// holds beside other things.
constexpr int64_t kLongSum = 1024;
constexpr int64_t kMaxPart = 512;
constexpr int64_t kMinPart = 64;
/// Short rows that are taken side by side, of a nest of at most so many terms.
constexpr int64_t kShortRows = 8;
constexpr int64_t kMaxShortRowTerms = 24;
/// Rows side by side where products are written out.
constexpr int64_t kProductRows = 4;
/// Terms of all rows that are side by side there.
constexpr int64_t kMaxWrittenTerms = 512;
/// Ops that are written out for each row of a tile.
constexpr int64_t kMaxTileOps = 4;

/// Widths of a panel, the best first: four vectors beside kMostTileRows rows fill the registers.
constexpr int64_t kPanels[] = {64, 48, 128, 96, 80, 112, 32};

void split(AffineMap& map, size_t dim, int64_t block) {
  const int64_t stride = map.strides[dim];
  map.strides[dim] = stride * block;
  map.strides.insert(map.strides.begin() + static_cast<std::ptrdiff_t>(dim) + 1, stride);
}

SplitNest split_dim(const Nest& nest, size_t dim, int64_t inner) {
  SplitNest split_nest{nest, dim + 1};
  Nest& result = split_nest.nest;
  result.dims[dim].extent /= inner;
  result.dims.insert(result.dims.begin() + static_cast<std::ptrdiff_t>(dim) + 1,
                     {inner, result.dims[dim].reduced});
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

/// Has every stored value one element for each sum?
bool stores_follow_sums(const Nest& nest) {
  return std::all_of(nest.stores.begin(), nest.stores.end(), [&](const TermStore& store) {
    return !store.add && store.indirections.empty() &&
           (nest.dims_of(store) >> nest.kept_count()) == 0;
  });
}

/// The largest divisor of `number` that is at most `limit`.
int64_t largest_divisor(int64_t number, int64_t limit) {
  for (int64_t divisor = std::min(number, limit); divisor > 1; --divisor)
    if (number % divisor == 0) return divisor;
  return 1;
}

/// Does a term of an epilogue read a stream of the size of the product, or is there much to do?
bool wants_block(const Nest& nest, size_t row) {
  const uint64_t element = uint64_t{3} << row;
  int64_t applied = 0;
  for (const Term& term : nest.terms) {
    const bool is_in_sums = (term.dims >> nest.kept_count()) != 0;
    if (is_in_sums || (term.dims & element) != element) continue;
    if (term.kind == TermKind::Load || term.kind == TermKind::Draw) return true;
    if (term.kind == TermKind::Apply) ++applied;
  }
  return applied > kMaxTileOps;
}

/// How many points of the first reduced dim to take at a time: all of it where the others are many
/// enough; 0 where the sums are short or do not divide.
int64_t choose_sum_block(const Nest& nest) {
  const size_t first = nest.kept_count();
  const int64_t outer = nest.dims[first].extent;
  int64_t inner = 1;
  for (size_t d = first + 1; d < nest.dims.size(); ++d) inner *= nest.dims[d].extent;
  if (outer * inner <= kLongSum || inner >= kMaxPart) return 0;
  const int64_t block = largest_divisor(outer, kMaxPart / inner);
  return block * inner >= kMinPart ? block : 0;
}

/// Rows whose sums fit into the registers with as many vectors of columns as there are, at most 4.
int64_t max_tile(int64_t columns) {
  if (columns <= kVector) return 16;
  return columns <= 2 * kVector ? 8 : kMostTileRows;
}

int64_t choose_panel(int64_t columns) {
  for (int64_t panel : kPanels)
    if (columns % panel == 0 && columns > panel) return panel;
  return columns;
}

AffineMap with_order(const AffineMap& map, size_t first, std::span<const size_t> order) {
  AffineMap result = map;
  for (size_t i = 0; i < order.size(); ++i) result.strides[first + i] = map.strides[order[i]];
  return result;
}

/// The dims from `first` on become those at the positions `order`, which is a permutation of them.
Nest with_order(const Nest& nest, size_t first, std::span<const size_t> order) {
  Nest result = nest;
  for (size_t i = 0; i < order.size(); ++i) {
    result.dims[first + i] = nest.dims[order[i]];
    if (nest.vector_dim == static_cast<int32_t>(order[i]))
      result.vector_dim = static_cast<int32_t>(first + i);
  }
  for (size_t t = 0; t < nest.terms.size(); ++t) {
    Term& term = result.terms[t];
    if (!term.position.strides.empty()) term.position = with_order(term.position, first, order);
    for (size_t i = 0; i < order.size(); ++i) {
      const uint64_t bit = (nest.terms[t].dims >> order[i]) & 1;
      term.dims = (term.dims & ~(uint64_t{1} << (first + i))) | (bit << (first + i));
    }
  }
  for (TermStore& store : result.stores) store.position = with_order(store.position, first, order);
  return result;
}

/// A nest whose rows divide badly into tiles takes tiles of another kept dim as its rows: the first
/// that divides well.
Nest with_even_rows(const Nest& nest) {
  const size_t kept = nest.kept_count();
  const int64_t limit = max_tile(nest.dims[kept - 1].extent);
  if (largest_divisor(nest.dims[kept - 2].extent, limit) >= kLeastTileRows) return nest;
  for (size_t d = 0; d + 2 < kept; ++d) {
    const int64_t tile = largest_divisor(nest.dims[d].extent, limit);
    if (tile < kLeastTileRows) continue;
    // Behind the split, d + 1 is in the tile; the last kept dim, the columns, is at `kept`.
    std::vector<size_t> order;
    for (size_t e = d + 2; e < kept; ++e) order.push_back(e);
    order.insert(order.end(), {d + 1, kept});
    return with_order(split_dim(nest, d, tile).nest, d + 1, order);
  }
  return nest;
}

/// Is there one reduction, a sum of products?
bool is_product(const Nest& nest) {
  int64_t reductions = 0;
  for (const Term& term : nest.terms) {
    if (term.kind != TermKind::Reduce) continue;
    if (term.operands.size() != 2 || term.phase != 1) return false;
    ++reductions;
  }
  return reductions == 1;
}

}  // namespace

std::optional<SplitNest> block_columns(const Nest& nest) {
  const int64_t block = nest.column_block();
  if (block == 0) return std::nullopt;
  return split_dim(nest, nest.kept_count() - 1, block);
}

std::optional<SplitNest> tile_rows(const Nest& nest) {
  const size_t kept = nest.kept_count();
  if (kept < 2 || kept != nest.dims.size() || nest.vector_dim != static_cast<int32_t>(kept) - 1)
    return std::nullopt;
  const int64_t columns = nest.dims[kept - 1].extent, rows = nest.dims[kept - 2].extent;
  const auto terms = static_cast<int64_t>(nest.terms.size());
  const bool is_short =
      columns < kShortColumns && columns % kVector != 0 && terms <= kMaxShortRowTerms;
  const bool has_products = std::any_of(nest.terms.begin(), nest.terms.end(), [](const Term& term) {
    return term.kind == TermKind::Products;
  });
  int64_t limit = 1;
  if (is_short) limit = kShortRows;
  if (has_products) limit = std::min(kProductRows, kMaxWrittenTerms / terms);
  const int64_t tile = limit > 1 ? largest_divisor(rows, limit) : 1;
  if (tile < 2) return std::nullopt;
  return split_dim(nest, kept - 2, tile);
}

std::optional<TiledProduct> tile_product(const Nest& given) {
  const size_t given_kept = given.kept_count();
  if (given_kept < 2 || given_kept == given.dims.size() || !is_product(given)) return std::nullopt;
  if (given.vector_dim != static_cast<int32_t>(given_kept) - 1) return std::nullopt;
  const Nest nest = with_even_rows(given);
  const size_t kept = nest.kept_count();
  const size_t row = kept - 2;
  const int64_t rows = nest.dims[row].extent, columns = nest.dims[row + 1].extent;
  const int64_t tile = largest_divisor(rows, max_tile(columns));
  if (tile < 2 || columns == 0) return std::nullopt;
  const int64_t sum_block = choose_sum_block(nest);
  const bool is_blocked = tile * columns <= kMaxBlockElements && stores_follow_sums(nest) &&
                          (sum_block > 0 || wants_block(nest, row));
  const bool is_long = is_blocked && sum_block > 0;
  const int64_t panel = choose_panel(columns);
  // A long panel of the right operand comes from the third cache: better once than for each chunk.
  const bool by_panels =
      is_long && columns / panel >= kMinParts && rows * panel <= kMaxBlockElements;
  int64_t chunk_rows = kChunkRows;
  if (is_long) chunk_rows = std::max(chunk_rows, rows / (2 * kMinParts));
  if (is_blocked && !by_panels) chunk_rows = std::min(chunk_rows, kMaxBlockElements / columns);
  const int64_t chunk = by_panels ? rows / tile : largest_divisor(rows / tile, chunk_rows / tile);

  TiledProduct tiled{nest, row, by_panels || (rows / tile / chunk < kMinParts && columns > panel),
                     is_blocked};
  Nest& result = tiled.nest;
  if (is_long) {
    if (sum_block > 1) result = split_dim(result, kept, sum_block).nest;
    tiled.sum_block = kept + 3;
  }
  result = split_dim(result, row + 1, panel).nest;  // row, panel, column
  result = split_dim(result, row, tile).nest;       // tile, in tile, panel, column
  result = split_dim(result, row, chunk).nest;      // chunk, tile, in tile, panel, column
  std::vector<size_t> order = {row, row + 3, row + 1, row + 2, row + 4};
  if (tiled.by_panels) std::swap(order[0], order[1]);
  result = with_order(result, row, order);
  return tiled;
}

}  // namespace gradc
