// Cuts a value of a whole pass at its first full reductions: what is behind them is accumulated
// over the batches, what is in front of them runs once at the end.
#pragma once
#include "frontend/draft.h"

namespace gradc {

/// A value to accumulate: an f64 tensor of the draft of a batch.
struct Accumulation {
  OutputKind kind = OutputKind::AccumulateSum;  // or Min, Max
  std::string name;                             // "accuracy.0"
  TensorId value{};
};

/// One loss or metric, cut. `value` and all in front of it is made in `front`, from Accumulator
/// inputs named like the accumulations.
struct SplitMetric {
  std::vector<Accumulation> accumulations;
  TensorId value{};            // in `front`
  bool has_row_count = false;  // a number computed from the row count is in front (W0712)
};

/// Adds what must be accumulated to `batch` and the rest to `front`. `rows` is the number of rows
/// of this batch. A value that is not of the whole pass is averaged over the batches, by rows.
SplitMetric split_metric(DraftGraph& batch, DraftGraph& front, TensorId value,
                         const std::string& name, int64_t rows);

/// False where a path from `value` to the data has no full reduction.
bool is_of_whole_pass(const DraftGraph& batch, TensorId value);

}  // namespace gradc
