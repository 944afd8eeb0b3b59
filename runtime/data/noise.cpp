// Draws the elements by the rules of runtime/core/rng.h.
#include "runtime/data/noise.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr double kRows = 1024;  // where the source does not say
constexpr int64_t kBytes = 256;

int64_t row_count(const DataSource& source) {
  return static_cast<int64_t>(source.number("rows", kRows));
}

void check_declared(const DataSource& source) {
  if (source.declared.empty())
    throw Error(ExitCode::ModelOrData, "E0910",
                "the data `noise` is made for the inputs of a model, and there are none here");
}

/// How many values an element has; 0 for a float.
int64_t value_count(const DeclaredField& field) {
  const DType dtype = field.row_type.dtype;
  if (is_float(dtype)) return 0;
  if (dtype == DType::Bool) return 2;
  const int64_t count = field.limit > 0 ? field.limit : kBytes;
  return dtype == DType::U8 ? std::min(count, kBytes) : count;
}

Tensor draw(const DeclaredField& field, int64_t rows, uint64_t stream) {
  std::vector<int64_t> dims = field.row_type.shape.dims();
  dims.insert(dims.begin(), rows);
  Tensor values(field.row_type.dtype, Shape(std::move(dims)));
  const auto count = static_cast<double>(value_count(field));
  const RngPosition position{.seed = 0, .stream = stream};
  for (int64_t i = 0; i < values.size(); ++i) {
    const auto unit = static_cast<double>(random_unit_f32(position, static_cast<uint64_t>(i)));
    values.set(i, count > 0 ? std::floor(unit * count) : unit);
  }
  return values;
}

}  // namespace

DataSplit make_noise(const DataSource& source) {
  check_declared(source);
  Dataset data{"noise", {}};
  for (size_t i = 0; i < source.declared.size(); ++i)
    data.fields.push_back(
        {source.declared[i].name, draw(source.declared[i], row_count(source), i)});
  return {std::move(data), std::nullopt};
}

DataDescription describe_noise(const DataSource& source) {
  check_declared(source);
  DataDescription description;
  description.name = "noise";
  description.train_rows = row_count(source);
  for (const DeclaredField& field : source.declared)
    description.fields.push_back({field.name, field.row_type});
  return description;
}

}  // namespace gradc
