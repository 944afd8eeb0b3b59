// Named columns of rows: what a model's inputs are fed from.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

/// Rows that are cut out of a sequence: row i is elements i * stride to i * stride + size. 1 <=
/// stride <= size, so rows may overlap and every element is in one.
struct Windows {
  int64_t size = 0;
  int64_t stride = 0;

  /// Of a sequence of at least `size` elements.
  int64_t rows(int64_t length) const { return (length - size) / stride + 1; }
  /// The elements that so many rows read.
  int64_t length(int64_t rows) const { return size + (rows - 1) * stride; }
};

/// Rows that are made when they are first read, so that the first batch does not wait for the last.
class RowFiller {
 public:
  /// `make` writes one row; different rows at the same time.
  RowFiller(int64_t rows, std::function<void(int64_t row)> make);
  /// The row is there afterwards. Any thread may call this at any time.
  void fill(int64_t row);
  /// All of them, on all threads.
  void fill_all();

 private:
  enum class State : uint8_t { Missing, InWork, Made };

  std::vector<std::atomic<State>> states_;
  std::function<void(int64_t)> make_;
};

/// A column: `values` has the rows on its first axis, so one row of u8[60000, 28, 28] is u8[28,
/// 28]; or it is the sequence that `windows` cuts into rows when they are read.
struct Field {
  std::string name;
  Tensor values;
  std::optional<Windows> windows = std::nullopt;
  /// What each value of an integer field stands for (a category of a CSV file, a folder of images);
  /// empty where the numbers speak for themselves.
  std::vector<std::string> categories = {};
  /// Where it is not null, a row has to be filled before it is read.
  std::shared_ptr<RowFiller> filler = nullptr;

  int64_t rows() const;
  /// Dtype and shape of one row.
  Type row_type() const;
  /// The first element of row `row`.
  const std::byte* row(int64_t row) const;
  /// What an integer stands for: the category's name, or the number.
  std::string category(int64_t value) const;
};

/// Fields of the same number of rows. Copies share the memory of the tensors.
struct Dataset {
  std::string name;
  std::vector<Field> fields;

  /// 0 where there is no field.
  int64_t rows() const { return fields.empty() ? 0 : fields.front().rows(); }
  /// nullptr where no field has that name. Valid as long as `fields` is unchanged.
  const Field* find(std::string_view field_name) const;
  /// Fills all rows of all fields.
  void fill() const;
};

/// What data will look like, known without reading it.
struct DataDescription {
  struct DescribedField {
    std::string name;
    Type row_type;
  };
  std::string name;
  std::vector<DescribedField> fields;
  int64_t train_rows = 0;
  /// Nothing where there is no test data.
  std::optional<int64_t> test_rows;
  /// Where the rows to train on are cut out of sequences.
  std::optional<Windows> windows = std::nullopt;
};

/// What is trained on and, where the source has one, what is held back to test on.
struct DataSplit {
  Dataset train;
  std::optional<Dataset> test;
};

/// The description of data that is in memory.
DataDescription describe(const DataSplit& data);

/// Throws Error (ModelOrData, E0904) that names the first row with a value below 0 or not below
/// `limit`; fills all rows for this. A field of bool or of floats has no such range: it passes.
void check_field_range(const Field& field, int64_t limit);

/// Throws Error (ModelOrData, E0915) unless there is a row and all fields have the same number of
/// them.
void check_rows(const Dataset& dataset);

}  // namespace gradc
