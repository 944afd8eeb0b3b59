// Lookup in and checks of datasets.
#include "runtime/data/dataset.h"

#include <thread>

#include "runtime/fork_join.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

template <typename T>
int64_t first_outside(std::span<const T> values, int64_t limit) {
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<int64_t>(values[i]);
    if (value < 0 || value >= limit) return static_cast<int64_t>(i);
  }
  return -1;
}

int64_t first_outside(const Tensor& values, int64_t limit) {
  switch (values.dtype()) {
    case DType::U8:
      return limit > 255 ? -1 : first_outside(values.span<uint8_t>(), limit);
    case DType::I32:
      return first_outside(values.span<int32_t>(), limit);
    case DType::I64:
      return first_outside(values.span<int64_t>(), limit);
    case DType::Bool:
    case DType::BF16:
    case DType::F16:
    case DType::F32:
    case DType::F64:
      return -1;
  }
  CHECK(false, "dtype {}", static_cast<int>(values.dtype()));
}

int64_t integer_at(const Tensor& values, int64_t index) {
  return values.dtype() == DType::I64 ? values.span<int64_t>()[static_cast<size_t>(index)]
                                      : static_cast<int64_t>(values.at(index));
}

/// The first row that has element `index` of the field's values.
int64_t row_of(const Field& field, int64_t index) {
  if (!field.windows) return index / field.row_type().shape.element_count();
  const auto [size, stride] = *field.windows;
  return index < size ? 0 : (index - size) / stride + 1;
}

}  // namespace

RowFiller::RowFiller(int64_t rows, std::function<void(int64_t row)> make)
    : states_(static_cast<size_t>(rows)), make_(std::move(make)) {}

void RowFiller::fill(int64_t row) {
  std::atomic<State>& state = states_[static_cast<size_t>(row)];
  if (state.load(std::memory_order_acquire) == State::Made) return;
  State expected = State::Missing;
  if (state.compare_exchange_strong(expected, State::InWork, std::memory_order_acquire)) {
    make_(row);
    state.store(State::Made, std::memory_order_release);
  }
  // Another thread is at it: a few microseconds.
  while (state.load(std::memory_order_acquire) != State::Made) std::this_thread::yield();
}

void RowFiller::fill_all() {
  const auto rows = static_cast<int64_t>(states_.size());
  before_fork();
#pragma omp parallel
  {
    after_fork();
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row) fill(row);
    before_join();
  }
  after_join();
}

void Dataset::fill() const {
  for (const Field& field : fields)
    if (field.filler) field.filler->fill_all();
}

DataDescription describe(const DataSplit& data) {
  DataDescription description{data.train.name, {}, data.train.rows(), std::nullopt};
  for (const Field& field : data.train.fields)
    description.fields.push_back({field.name, field.row_type()});
  if (data.test) description.test_rows = data.test->rows();
  if (!data.train.fields.empty()) description.windows = data.train.fields.front().windows;
  return description;
}

int64_t Field::rows() const { return windows ? windows->rows(values.size()) : values.shape()[0]; }

Type Field::row_type() const {
  if (windows) return {values.dtype(), {windows->size}};
  const auto& dims = values.shape().dims();
  return {values.dtype(), Shape(std::vector<int64_t>(dims.begin() + 1, dims.end()))};
}

const std::byte* Field::row(int64_t row) const {
  const int64_t step =
      windows ? windows->stride * size_bytes(values.dtype()) : row_type().size_bytes();
  return values.raw() + row * step;
}

std::string Field::category(int64_t value) const {
  const auto place = static_cast<size_t>(value);
  return value >= 0 && place < categories.size() ? printable(categories[place])
                                                 : std::to_string(value);
}

const Field* Dataset::find(std::string_view field_name) const {
  for (const Field& field : fields)
    if (field.name == field_name) return &field;
  return nullptr;
}

void check_field_range(const Field& field, int64_t limit) {
  if (field.filler) field.filler->fill_all();
  const int64_t index = first_outside(field.values, limit);
  if (index < 0) return;
  const int64_t row = row_of(field, index);
  throw Error(ExitCode::ModelOrData, "E0904",
              fmt::format("the data field `{}` holds {} in row {} (counted from 0); it must be at "
                          "least 0 and below {}",
                          field.name, integer_at(field.values, index), row, limit));
}

void check_rows(const Dataset& dataset) {
  if (dataset.rows() == 0)
    throw Error(ExitCode::ModelOrData, "E0915",
                fmt::format("the data `{}` has no rows", dataset.name));
  const Field& first = dataset.fields.front();
  for (const Field& field : dataset.fields)
    if (field.rows() != first.rows())
      throw Error(ExitCode::ModelOrData, "E0915",
                  fmt::format("the data `{}` has {} rows of `{}` but {} rows of `{}`", dataset.name,
                              first.rows(), first.name, field.rows(), field.name));
}

}  // namespace gradc
