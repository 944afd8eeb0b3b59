// Which rows of a source without a split of its own are held out to test on.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/data/dataset.h"

namespace gradc {

/// Rows of both parts, in the order of the source. `test` is empty where nothing is held out.
struct RowSplit {
  std::vector<int64_t> train;
  std::vector<int64_t> test;
};

/// Holds out round(share * rows) rows, drawn by a rule of their own: the same for every seed of the
/// run, on every machine. Throws Error (ModelOrData, E0915) where there is no row, or a part of a
/// split would have none.
RowSplit split_rows(int64_t rows, double share, const std::string& source);

/// The rows of every field, which are there (RowFiller).
DataSplit split_dataset(const Dataset& dataset, const RowSplit& split);

}  // namespace gradc
