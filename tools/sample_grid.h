// Pictures of a dataset side by side.
#pragma once
#include <vector>

#include "runtime/data/dataset.h"

namespace gradc {

struct GridShape {
  int64_t rows = 5;
  int64_t columns = 5;
  /// Each pixel becomes a square of so many.
  int64_t scale = 2;
};

/// The field whose rows are pictures: [height, width], or with 1 or 3 channels behind; the one
/// called `name`, or the first. Throws Error (Usage) where there is none.
const Field& picture_field(const Dataset& dataset, const std::string& name);

/// u8[height, width] or, in colour, u8[height, width, 3]: the rows of `field` from left to right
/// and top to bottom, with a grey line of two pixels around each. Bytes are taken as they are;
/// other numbers are stretched from the least to the most of what is shown.
Tensor sample_grid(const Field& field, const std::vector<int64_t>& rows, const GridShape& shape);

}  // namespace gradc
