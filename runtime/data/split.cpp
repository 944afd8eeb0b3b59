// A fixed shuffle decides who is held out.
#include "runtime/data/split.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "runtime/core/rng.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr uint64_t kSplitStream = 0x73706C6974726F77U;  // "splitrow"

/// The given rows, one after the other; those with a filler are filled.
Tensor gather_rows(const Field& field, const std::vector<int64_t>& rows,
                   const std::string& source) {
  std::vector<int64_t> dims = field.row_type().shape.dims();
  dims.insert(dims.begin(), static_cast<int64_t>(rows.size()));
  Tensor picked = reserve_tensor({field.values.dtype(), Shape(std::move(dims))}, source);
  const auto row_bytes = static_cast<size_t>(field.row_type().size_bytes());
  if (row_bytes == 0) return picked;
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(picked.raw() + i * row_bytes, field.row(rows[i]), row_bytes);
  return picked;
}

/// Rows that are cut out of a sequence become rows of their own.
Dataset pick(const Dataset& dataset, const std::vector<int64_t>& rows) {
  Dataset picked{dataset.name, dataset.fields};
  for (Field& field : picked.fields) {
    field.values = gather_rows(field, rows, dataset.name);
    field.windows.reset();
    field.filler.reset();
  }
  return picked;
}

}  // namespace

RowSplit split_rows(int64_t rows, double share, const std::string& source) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(ExitCode::ModelOrData, "E0915", fmt::format("`{}` has {}", source, reason));
  };
  if (rows == 0) refuse("no rows");
  RowSplit split;
  split.train.resize(static_cast<size_t>(rows));
  std::iota(split.train.begin(), split.train.end(), int64_t{0});
  if (share == 0) return split;
  const auto held_out = static_cast<int64_t>(std::llround(share * static_cast<double>(rows)));
  if (held_out == 0 || held_out == rows)
    refuse(fmt::format("{} rows: holding out {} of them leaves a part without any", rows, share));
  // The first places of a Fisher-Yates shuffle.
  std::vector<int64_t>& order = split.train;
  for (int64_t i = 0; i < held_out; ++i) {
    const RngPosition position{0, kSplitStream, 0};
    const double place =
        random_unit_f64(position, static_cast<uint64_t>(i)) * static_cast<double>(rows - i);
    std::swap(order[static_cast<size_t>(i)],
              order[static_cast<size_t>(i) + static_cast<size_t>(place)]);
  }
  split.test.assign(order.begin(), order.begin() + held_out);
  order.erase(order.begin(), order.begin() + held_out);
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

DataSplit split_dataset(const Dataset& dataset, const RowSplit& split) {
  if (split.test.empty()) return {dataset, std::nullopt};
  return {pick(dataset, split.train), pick(dataset, split.test)};
}

}  // namespace gradc
