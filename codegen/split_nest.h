// Nests with dims split in two or written out, for speed: column sums row by row, products by
// tiles, short rows and short sums side by side.
#pragma once
#include <optional>

#include "ir/iteration.h"

namespace gradc {

/// A nest of which a kept dim is split in two: `inner_dim` and the dim before it.
struct SplitNest {
  Nest nest;
  size_t inner_dim;
};

/// Column sums with the last kept dim split into blocks. With a column per vector lane a nest would
/// walk down one strip of columns after the other and touch a cache line per row. Instead it can
/// take the rows one after the other and keep the sums of a block in memory that stays in the first
/// cache. Nothing where that does not pay or where values that come after the sums are needed in
/// the rows. The order of each sum is the same.
std::optional<SplitNest> block_columns(const Nest& nest);

/// Rows without sums, some of them side by side. Short ones: where a row does not fill its last
/// vector, what follows a store in memory cannot be loaded until the store is done, so that several
/// rows should be loaded before the first of them is stored. Those of written out products: a
/// vector of one factor serves all of them. Nothing for other nests.
std::optional<SplitNest> tile_rows(const Nest& nest);

/// A product in an order that suits registers and caches; nothing for other nests. Columns are
/// split into panels, rows into tiles whose rows are computed side by side: a vector of the right
/// operand serves all of them, and the additions of one row need not wait for each other. Tiles
/// come in chunks: a panel of the right operand stays in the second cache for a chunk, and threads
/// share the chunks, or the panels where chunks are few. The order of each sum is the same.
struct TiledProduct {
  Nest nest;       // chunk, panel (or panel, chunk), tile, row, column; sums
  size_t first;    // of these dims
  bool by_panels;  // panels are outside
  /// What reads the sums wants more streams than a tile should follow, or is long: it had better be
  /// computed for a whole chunk (of a panel, where they are outside), with the sums in memory that
  /// stays in the second cache.
  bool is_blocked;
  /// A reduced dim for whose points one after the other all sums of a block go on, so that what the
  /// inner ones read of the operands stays in the caches; nothing where the sums are short.
  std::optional<size_t> sum_block = {};

  size_t panel() const { return first + (by_panels ? 0 : 1); }
  size_t tile() const { return first + 2; }
  size_t row() const { return first + 3; }
  size_t column() const { return first + 4; }
};
std::optional<TiledProduct> tile_product(const Nest& nest);

}  // namespace gradc
