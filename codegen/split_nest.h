// Nests with one dim split in two, for speed: column sums row by row, products by tiles of rows.
#pragma once
#include <optional>

#include "ir/iteration.h"

namespace gradc {

/// A nest of which one kept dim is split in two: `inner_dim` and the dim before it.
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

/// A product with its rows (the kept dim before the vector dim) split into tiles, to be computed
/// side by side: a vector of the right operand is loaded once for the whole tile, and the additions
/// of one row need not wait for each other. Nothing for other nests. The order of each sum is the
/// same.
std::optional<SplitNest> tile_rows(const Nest& nest);

}  // namespace gradc
