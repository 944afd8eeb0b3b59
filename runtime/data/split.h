// Which rows of a source without a split of its own are held out.
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

/// Windows of what is held out of a sequence: each element but the first is predicted once.
Windows held_out_windows(const Windows& windows);

/// Holds out a share of the rows, which are there (RowFiller), as split_rows draws them; of
/// sequences that are cut into windows, where rows that are drawn would overlap with those that are
/// left, their end. Throws Error (ModelOrData, E0915) that names `source` as split_rows.
DataSplit hold_out(const Dataset& dataset, double share, const std::string& source);
/// Makes the description of a dataset that of the parts.
void hold_out(DataDescription& description, double share, const std::string& source);

}  // namespace gradc
