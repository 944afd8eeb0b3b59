// Comma-separated text as located cells.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gradc {

/// `text` lies in the table's memory. Line and column count from 1, the column in bytes.
struct Cell {
  std::string_view text;
  int64_t line = 0;
  int64_t column = 0;
};

struct TableColumn {
  std::string name;
  std::vector<Cell> cells;
};

/// A file as RFC 4180 has it: a header, then rows of as many cells; cells in double quotes may hold
/// commas, line breaks and doubled quotes. Lines end in \n or \r\n; empty lines and a byte order
/// mark are skipped; blanks around a cell without quotes are not part of it.
struct Table {
  std::string path;
  std::shared_ptr<std::string> bytes;
  std::vector<TableColumn> columns;

  int64_t rows() const {
    return columns.empty() ? 0 : static_cast<int64_t>(columns.front().cells.size());
  }
  /// nullptr where there is none.
  const TableColumn* find(std::string_view name) const;
};

/// Throws Error: ModelOrData, E0916 with file, line and column where the text has another form;
/// what read_whole throws.
Table read_table(const std::string& path);

/// Throws Error (ModelOrData, E0916) that begins with `path:line:column`.
[[noreturn]] void throw_cell(const std::string& path, const Cell& cell, const std::string& message);

}  // namespace gradc
