// Finds the dtype of each column and reads its values.
#include "runtime/data/csv.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include "runtime/core/checked_size.h"
#include "runtime/data/split.h"
#include "runtime/data/table.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr std::string_view kMissing[] = {"", "na", "n/a", "nan", "null", "none", "?"};
constexpr const char* kFeatures = "features";

bool is_missing(std::string_view text) {
  std::string lower(text.substr(0, 8));
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(std::begin(kMissing), std::end(kMissing), lower) != std::end(kMissing);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The numbers of a file's columns and what they are to become.
class ColumnReader {
 public:
  explicit ColumnReader(const Table& table) : table_(table) {}

  /// The first cell that holds text; nullptr where none does.
  const Cell* first_text(const TableColumn& column) const {
    for (const Cell& cell : column.cells)
      if (!is_missing(cell.text) && !parse_number<double>(cell.text)) return &cell;
    return nullptr;
  }
  const Cell* first_missing(const TableColumn& column) const {
    for (const Cell& cell : column.cells)
      if (is_missing(cell.text)) return &cell;
    return nullptr;
  }
  void check_present(const TableColumn& column) const {
    if (const Cell* cell = first_missing(column))
      throw_cell(table_.path, *cell,
                 fmt::format("`{}` is missing here; fill it in or leave the row out",
                             printable(column.name)));
  }

  /// The dtype of a column of numbers.
  DType dtype(const TableColumn& column, std::optional<DType> wanted) const {
    if (wanted && is_float(*wanted)) return *wanted;
    DType narrowest = DType::I32;
    for (const Cell& cell : column.cells) {
      const auto whole = parse_number<int64_t>(cell.text);
      if (wanted && (!whole || !fits(*whole, *wanted)))
        throw_cell(table_.path, cell,
                   fmt::format("`{}` is {}, which the {} of the model's input cannot hold",
                               printable(column.name), printable(cell.text), *wanted));
      if (!whole) return DType::F32;
      if (!fits(*whole, DType::I32)) narrowest = DType::I64;
    }
    return wanted.value_or(narrowest);
  }

  /// Element `place` of `values` from a cell that is a number of that dtype.
  void store(const TableColumn& column, int64_t row, Tensor& values, int64_t place) const {
    const Cell& cell = column.cells[static_cast<size_t>(row)];
    if (values.dtype() == DType::I64) {
      values.span<int64_t>()[static_cast<size_t>(place)] = *parse_number<int64_t>(cell.text);
      return;
    }
    values.set(place, *parse_number<double>(cell.text));
    if (!std::isfinite(values.at(place)))
      throw_cell(table_.path, cell,
                 fmt::format("`{}` is {}, which {} cannot hold", printable(column.name),
                             printable(cell.text), values.dtype()));
  }

 private:
  const Table& table_;
};

class CsvFile {
 public:
  explicit CsvFile(const DataSource& source)
      : source_(source),
        table_(read_table(source.path)),
        reader_(table_),
        split_(split_rows(table_.rows(), source.number("test", 0), source.path)) {}

  DataSplit read() {
    const std::vector<std::string> categories = source_.names("categories");
    for (const std::string& name : categories) require_column("categories", name);
    for (const TableColumn& column : table_.columns)
      if (std::find(categories.begin(), categories.end(), column.name) != categories.end())
        add_category(column);
      else
        add_numbers(column);
    add_features();
    if (train_.fields.empty())
      throw_cell(table_.path, {{}, 1, 1},
                 "no column holds numbers; columns of text are listed in `categories`");
    if (split_.test.empty()) return {std::move(train_), std::nullopt};
    return {std::move(train_), std::move(test_)};
  }

 private:
  const TableColumn& require_column(const char* option, const std::string& name) const {
    if (const TableColumn* column = table_.find(name)) return *column;
    std::string names;
    for (const TableColumn& column : table_.columns)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", printable(column.name));
    throw Error(ExitCode::ModelOrData, "E0910",
                fmt::format("csv: `{}` names `{}`, which is no column of `{}`\n  it has: {}",
                            option, printable(name), table_.path, names));
  }

  std::optional<DType> wanted(const std::string& name) const {
    const auto found = source_.wanted.find(name);
    return found == source_.wanted.end() ? std::nullopt : found->second;
  }

  /// Adds a field to both parts; `fill(values, place, row)` writes one row of it.
  template <typename Fill>
  void add(const std::string& name, DType dtype, const std::vector<int64_t>& row_dims, Fill fill,
           const std::vector<std::string>& categories = {}) {
    const auto add_part = [&](Dataset& part, const std::vector<int64_t>& rows) {
      std::vector<int64_t> dims = row_dims;
      dims.insert(dims.begin(), static_cast<int64_t>(rows.size()));
      Tensor values(dtype, Shape(std::move(dims)));
      for (size_t i = 0; i < rows.size(); ++i) fill(values, static_cast<int64_t>(i), rows[i]);
      part.fields.push_back({name, std::move(values), std::nullopt, categories});
    };
    add_part(train_, split_.train);
    add_part(test_, split_.test);
  }

  void add_category(const TableColumn& column) {
    std::map<std::string_view, int32_t> codes;
    reader_.check_present(column);
    for (const int64_t row : split_.train) codes[column.cells[static_cast<size_t>(row)].text] = 0;
    std::vector<std::string> names = {"(not seen)"};
    for (auto& [text, code] : codes) {
      code = static_cast<int32_t>(names.size());
      names.emplace_back(text);
    }
    const auto fill = [&](Tensor& values, int64_t place, int64_t row) {
      const auto found = codes.find(column.cells[static_cast<size_t>(row)].text);
      values.span<int32_t>()[static_cast<size_t>(place)] = found == codes.end() ? 0 : found->second;
    };
    add(column.name, DType::I32, {}, fill, names);
  }

  void add_numbers(const TableColumn& column) {
    const bool is_unread = !source_.wanted.empty() && source_.wanted.count(column.name) == 0;
    if (is_unread && reader_.first_missing(column) != nullptr) return;
    if (const Cell* text = reader_.first_text(column)) {
      if (source_.wanted.count(column.name) == 0) return;
      throw_cell(
          table_.path, *text,
          fmt::format("`{0}` is `{1}`, no number; a column of text is listed in `categories`",
                      printable(column.name), printable(text->text)));
    }
    reader_.check_present(column);
    add(column.name, reader_.dtype(column, wanted(column.name)), {},
        [&](Tensor& values, int64_t place, int64_t row) {
          reader_.store(column, row, values, place);
        });
  }

  void add_features() {
    const std::vector<std::string> names = source_.names(kFeatures);
    if (names.empty()) return;
    if (table_.find(kFeatures) != nullptr)
      throw Error(ExitCode::ModelOrData, "E0910",
                  fmt::format("csv: `{}` has a column `features` already", table_.path));
    std::vector<const TableColumn*> columns;
    for (const std::string& name : names) {
      columns.push_back(&require_column(kFeatures, name));
      if (const Cell* text = reader_.first_text(*columns.back()))
        throw_cell(table_.path, *text,
                   fmt::format("`{}` is `{}`, no number, so it cannot be one of the features",
                               printable(name), printable(text->text)));
      reader_.check_present(*columns.back());
    }
    const DType dtype = wanted(kFeatures).value_or(DType::F32);
    for (const TableColumn* column : columns) reader_.dtype(*column, dtype);
    const auto width = static_cast<int64_t>(columns.size());
    add(kFeatures, dtype, {width}, [&](Tensor& values, int64_t place, int64_t row) {
      for (int64_t i = 0; i < width; ++i)
        reader_.store(*columns[static_cast<size_t>(i)], row, values, place * width + i);
    });
  }

  const DataSource& source_;
  Table table_;
  ColumnReader reader_;
  RowSplit split_;
  Dataset train_{"csv", {}};
  Dataset test_{"csv", {}};
};

}  // namespace

bool is_csv_file(const std::string& path) {
  std::error_code ignored;
  return (path.ends_with(".csv") || path.ends_with(".csv.gz")) &&
         std::filesystem::is_regular_file(path, ignored);
}

DataSplit load_csv(const DataSource& source) { return CsvFile(source).read(); }

DataDescription describe_csv(const DataSource& source) { return describe(load_csv(source)); }

}  // namespace gradc
