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

Dataset pick(const Dataset& dataset, const std::vector<int64_t>& rows) {
  Dataset picked{dataset.name, dataset.fields};
  for (Field& field : picked.fields) {
    field.values = gather_rows(field, rows, dataset.name);
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

Windows held_out_windows(const Windows& windows) {
  return {windows.size, std::max<int64_t>(windows.size - 1, 1)};
}

namespace {

/// Elements of a sequence: those that are left, and those at its end.
struct SequenceSplit {
  int64_t train, test;
};

SequenceSplit split_sequence(int64_t length, const Windows& windows, double share,
                             const std::string& source) {
  const auto held_out = static_cast<int64_t>(std::llround(share * static_cast<double>(length)));
  if (held_out < windows.size || length - held_out < windows.size)
    throw Error(ExitCode::ModelOrData, "E0915",
                fmt::format("`{}` has {} elements to train on: holding out {} of them leaves a "
                            "part without a window of {}",
                            source, length, share, windows.size));
  return {length - held_out, held_out};
}

Field cut(const Field& field, int64_t begin, int64_t length, const Windows& windows) {
  Field part = field;
  const auto whole = std::make_shared<Tensor>(field.values);  // the part shares its memory
  part.values = Tensor({whole->dtype(), {windows.length(windows.rows(length))}},
                       whole->raw() + begin * size_bytes(whole->dtype()), whole);
  part.windows = windows;
  return part;
}

DataSplit split_sequences(const Dataset& dataset, double share, const std::string& source) {
  DataSplit split{{dataset.name, {}}, Dataset{dataset.name, {}}};
  for (const Field& field : dataset.fields) {
    CHECK(field.windows.has_value(), "`{}` is no sequence", field.name);
    const auto [train, test] = split_sequence(field.values.size(), *field.windows, share, source);
    split.train.fields.push_back(cut(field, 0, train, *field.windows));
    split.test->fields.push_back(cut(field, train, test, held_out_windows(*field.windows)));
  }
  return split;
}

}  // namespace

DataSplit hold_out(const Dataset& dataset, double share, const std::string& source) {
  const bool is_cut = !dataset.fields.empty() && dataset.fields.front().windows.has_value();
  if (is_cut && share > 0) return split_sequences(dataset, share, source);
  const RowSplit split = split_rows(dataset.rows(), share, source);
  if (split.test.empty()) return {dataset, std::nullopt};
  return {pick(dataset, split.train), pick(dataset, split.test)};
}

void hold_out(DataDescription& description, double share, const std::string& source) {
  if (description.windows && share > 0) {
    const Windows& windows = *description.windows;
    const auto [train, test] =
        split_sequence(windows.length(description.train_rows), windows, share, source);
    description.train_rows = windows.rows(train);
    description.test_rows = held_out_windows(windows).rows(test);
    return;
  }
  const RowSplit split = split_rows(description.train_rows, share, source);
  description.train_rows = static_cast<int64_t>(split.train.size());
  if (!split.test.empty()) description.test_rows = static_cast<int64_t>(split.test.size());
}

}  // namespace gradc
