// Walks column sums row by row: the loop order of nests that add up along outer axes.
#pragma once
#include <optional>

#include "ir/iteration.h"

namespace gradc {

/// A nest of column sums with its last kept dim split into blocks and the elements of a block.
struct BlockedColumns {
  Nest nest;
  size_t element_dim;  // the elements of a block; the dim before it counts the blocks
};

/// With a column per vector lane a nest would walk down one strip of columns after the other and
/// touch a cache line per row. Instead it can take the rows one after the other and keep the sums
/// of a block in memory that stays in the first cache. Nothing where that does not pay or where
/// values that come after the sums are needed in the rows. The order of each sum is the same.
std::optional<BlockedColumns> block_columns(const Nest& nest);

}  // namespace gradc
