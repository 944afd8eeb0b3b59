// The state of a reader of comma-separated text: where it is, and what it has.
#include "runtime/data/table.h"

#include "runtime/core/error.h"
#include "runtime/data/whole_file.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class TableReader {
 public:
  explicit TableReader(Table& table) : table_(table), bytes_(*table.bytes) {
    if (std::string_view(bytes_).starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    line_start_ = at_;
  }

  void read() {
    read_header();
    std::vector<Cell> row;
    while (next_row(row)) {
      if (row.size() != table_.columns.size())
        throw_cell(table_.path, row.back(),
                   fmt::format("the row ends after {} cells, the header has {}", row.size(),
                               table_.columns.size()));
      for (size_t i = 0; i < row.size(); ++i) table_.columns[i].cells.push_back(row[i]);
    }
  }

 private:
  Cell here() const { return {{}, line_, static_cast<int64_t>(at_ - line_start_) + 1}; }
  bool at_end() const { return at_ == bytes_.size(); }
  bool at_break() const {
    return bytes_[at_] == '\n' ||
           (bytes_[at_] == '\r' && (at_ + 1 == bytes_.size() || bytes_[at_ + 1] == '\n'));
  }
  void pass_break() {
    if (bytes_[at_] == '\r') ++at_;
    if (!at_end()) ++at_;
    ++line_;
    line_start_ = at_;
  }

  void read_header() {
    std::vector<Cell> names;
    if (!next_row(names)) throw_cell(table_.path, here(), "there is no header: the file is empty");
    for (const Cell& cell : names) {
      if (cell.text.empty())
        throw_cell(table_.path, cell, "the header has a column without a name");
      if (table_.find(cell.text) != nullptr)
        throw_cell(table_.path, cell,
                   fmt::format("the header has the column `{}` twice", printable(cell.text)));
      table_.columns.push_back({std::string(cell.text), {}});
    }
  }

  /// The next row with more than an empty line; false at the end.
  bool next_row(std::vector<Cell>& row) {
    row.clear();
    while (!at_end() && at_break()) pass_break();
    if (at_end()) return false;
    while (true) {
      row.push_back(next_cell());
      if (at_end()) return true;
      if (bytes_[at_] == ',') {
        ++at_;
        continue;
      }
      pass_break();
      return true;
    }
  }

  Cell next_cell() {
    while (!at_end() && is_blank(bytes_[at_])) ++at_;
    Cell cell = here();
    if (!at_end() && bytes_[at_] == '"') return quoted_cell(cell);
    const size_t begin = at_;
    while (!at_end() && bytes_[at_] != ',' && !at_break()) ++at_;
    size_t end = at_;
    while (end > begin && is_blank(bytes_[end - 1])) --end;
    cell.text = std::string_view(bytes_).substr(begin, end - begin);
    return cell;
  }

  /// Removes the quotes in place: what a cell holds is never longer than how it is written.
  Cell quoted_cell(Cell cell) {
    const size_t begin = ++at_;
    size_t end = begin;
    while (true) {
      if (at_end()) throw_cell(table_.path, cell, "the quotes of this cell are not closed");
      const char c = bytes_[at_++];
      if (c == '"') {
        if (at_end() || bytes_[at_] != '"') break;
        ++at_;
      }
      if (c == '\n') {
        ++line_;
        line_start_ = at_;
      }
      bytes_[end++] = c;
    }
    cell.text = std::string_view(bytes_).substr(begin, end - begin);
    while (!at_end() && is_blank(bytes_[at_])) ++at_;
    if (!at_end() && bytes_[at_] != ',' && !at_break())
      throw_cell(table_.path, here(), "after closing quotes a comma or the end of the line is due");
    return cell;
  }

  Table& table_;
  std::string& bytes_;
  size_t at_ = 0;
  int64_t line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace

const TableColumn* Table::find(std::string_view name) const {
  for (const TableColumn& column : columns)
    if (column.name == name) return &column;
  return nullptr;
}

Table read_table(const std::string& path) {
  Table table{path, std::make_shared<std::string>(read_whole(path)), {}};
  TableReader(table).read();
  return table;
}

void throw_cell(const std::string& path, const Cell& cell, const std::string& message) {
  throw Error(ExitCode::ModelOrData, "E0916",
              fmt::format("{}:{}:{}: {}", path, cell.line, cell.column, message));
}

}  // namespace gradc
