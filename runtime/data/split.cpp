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

Dataset pick(const Dataset& dataset, const std::vector<int64_t>& rows) {
  Dataset picked{dataset.name, dataset.fields};
  for (Field& field : picked.fields) field.values = gather_rows(field.values, rows, dataset.name);
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
    refuse(fmt::format("{} rows: with test = {} one part would have none", rows, share));
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

Tensor gather_rows(const Tensor& values, const std::vector<int64_t>& rows,
                   const std::string& source) {
  std::vector<int64_t> dims = values.shape().dims();
  dims[0] = static_cast<int64_t>(rows.size());
  Tensor picked = reserve_tensor({values.dtype(), Shape(std::move(dims))}, source);
  const auto row_bytes =
      static_cast<size_t>(values.size_bytes() / std::max<int64_t>(1, values.shape()[0]));
  if (row_bytes == 0) return picked;
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(picked.raw() + i * row_bytes,
                values.raw() + static_cast<size_t>(rows[i]) * row_bytes, row_bytes);
  return picked;
}

DataSplit split_dataset(const Dataset& dataset, const RowSplit& split) {
  if (split.test.empty()) return {dataset, std::nullopt};
  return {pick(dataset, split.train), pick(dataset, split.test)};
}

}  // namespace gradc
