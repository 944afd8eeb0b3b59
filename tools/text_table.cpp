// Collects the lines of a table, then pads its cells.
#include "tools/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

namespace gradc {
namespace {

using Row = std::vector<std::string>;

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The cells of "| a | b |".
Row cells_of(const std::string& line) {
  Row cells;
  for (size_t start = 1, bar; (bar = line.find('|', start)) != std::string::npos; start = bar + 1)
    cells.push_back(trimmed(line.substr(start, bar - start)));
  return cells;
}

bool is_number(const std::string& cell) {
  char* end = nullptr;
  std::strtod(cell.c_str(), &end);
  return !cell.empty() && end == cell.c_str() + cell.size();
}

/// Left, but columns of nothing but numbers below their title.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> is_numeric;
  for (size_t r = 0; r < rows.size(); ++r) {
    widths.resize(std::max(widths.size(), rows[r].size()), 0);
    is_numeric.resize(widths.size(), true);
    for (size_t c = 0; c < rows[r].size(); ++c) {
      widths[c] = std::max(widths[c], rows[r][c].size());
      if (r > 0 && !rows[r][c].empty() && !is_number(rows[r][c])) is_numeric[c] = false;
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c)
      line += is_numeric[c] ? fmt::format("{:>{}}  ", row[c], widths[c])
                            : fmt::format("{:<{}}  ", row[c], widths[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    if (!line.empty()) text += line + "\n";
  }
  return text;
}

}  // namespace

std::string align_tables(const std::string& markdown) {
  std::istringstream lines(markdown);
  std::string text;
  std::vector<Row> table;
  const auto end_table = [&] {
    text += aligned(table);
    table.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| ---", 0) == 0) continue;
    if (!line.empty() && line.front() == '|') {
      table.push_back(cells_of(line));
      continue;
    }
    end_table();
    text += line + "\n";
  }
  end_table();
  return text;
}

}  // namespace gradc
