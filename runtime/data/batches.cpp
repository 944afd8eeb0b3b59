// The order of the rows and the gathering of a batch.
#include "runtime/data/batches.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>

#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr uint64_t kShuffleStream = 0x73687566666C6531U;  // "shuffle1"
constexpr uintptr_t kAlignment = 64;

std::vector<uint32_t> shuffled_rows(int64_t rows, uint64_t seed, int64_t epoch) {
  std::vector<uint32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0U);
  const RngPosition position{seed, kShuffleStream, static_cast<uint64_t>(epoch)};
  std::array<double, 64> units;
  for (size_t i = order.size(); i-- > 1;) {
    const size_t unit = i % units.size();
    if (unit == units.size() - 1 || i == order.size() - 1)
      random_units_f64(position, i - unit, units);
    const double place = units[unit] * static_cast<double>(i + 1);
    std::swap(order[i], order[static_cast<size_t>(place)]);
  }
  return order;
}

}  // namespace

Batches::Batches(Dataset dataset, const BatchOptions& options, int64_t epoch)
    : dataset_(std::move(dataset)), size_(options.size) {
  CHECK(size_ >= 1, "batch size {}", size_);
  check_rows(dataset_);
  const int64_t rows = dataset_.rows();
  if (options.shuffle && rows > int64_t{std::numeric_limits<uint32_t>::max()})
    throw Error(ExitCode::ModelOrData, "E0915",
                fmt::format("the data `{}` has {} rows; at most {} can be shuffled", dataset_.name,
                            rows, std::numeric_limits<uint32_t>::max()));
  count_ = options.last_batch == LastBatch::Keep ? (rows - 1) / size_ + 1 : rows / size_;
  if (count_ == 0)
    throw Error(ExitCode::ModelOrData, "E0905",
                fmt::format("the data `{}` has {} rows, fewer than one batch of {}, and the last "
                            "batch is dropped",
                            dataset_.name, rows, size_));
  if (options.shuffle) order_ = shuffled_rows(rows, options.seed, epoch);
}

int64_t Batches::rows(int64_t index) const {
  CHECK(index >= 0 && index < count_, "batch {} of {}", index, count_);
  return std::min(size_, dataset_.rows() - index * size_);
}

int64_t Batches::row_at(int64_t position) const {
  return order_.empty() ? position : int64_t{order_[static_cast<size_t>(position)]};
}

int64_t Batches::bytes_per_row() const {
  int64_t bytes = 0;
  for (const Field& field : dataset_.fields) bytes += field.row_type().size_bytes();
  return bytes;
}

Batch Batches::read(int64_t index) const {
  Batch batch{index, rows(index), {}};
  batch.values.reserve(dataset_.fields.size());
  for (const Field& field : dataset_.fields)
    batch.values.push_back(gather(field, index * size_, batch.rows));
  return batch;
}

Tensor Batches::gather(const Field& field, int64_t begin, int64_t rows) const {
  if (field.filler)
    for (int64_t row = 0; row < rows; ++row) field.filler->fill(row_at(begin + row));
  const auto row_bytes = static_cast<size_t>(field.row_type().size_bytes());
  std::vector<int64_t> dims = field.row_type().shape.dims();
  dims.insert(dims.begin(), rows);
  const Type type{field.values.dtype(), Shape(std::move(dims))};
  if (order_.empty() && !field.windows) {
    auto owner = std::make_shared<Tensor>(field.values);
    std::byte* view = owner->raw() + static_cast<size_t>(begin) * row_bytes;
    if (reinterpret_cast<uintptr_t>(view) % kAlignment == 0) return {type, view, std::move(owner)};
  }
  Tensor batch(type);
  if (row_bytes == 0) return batch;
  for (int64_t row = 0; row < rows; ++row)
    std::memcpy(batch.raw() + static_cast<size_t>(row) * row_bytes, field.row(row_at(begin + row)),
                row_bytes);
  return batch;
}

}  // namespace gradc
