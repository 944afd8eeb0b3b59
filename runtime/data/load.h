// Data by name: the table of built-in data and of formats on disk.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "runtime/data/dataset.h"

namespace gradc {

/// `kind` is a name in data_formats(); `path` is empty for built-in data.
struct DataSource {
  std::string kind;
  std::string path;

  friend bool operator==(const DataSource&, const DataSource&) = default;
};

/// One row per kind of data. The next one is added in load.cpp, nowhere else.
struct DataFormat {
  std::string_view kind;
  /// One line for help texts.
  std::string_view summary;
  /// Whether a path that exists is of this format; nullptr for built-in data.
  bool (*recognizes)(const std::string& path);
  /// `path` is empty for built-in data.
  DataSplit (*load)(const std::string& path);
  /// The same data without reading all of it.
  DataDescription (*describe)(const std::string& path);

  bool is_built_in() const { return recognizes == nullptr; }
};

std::span<const DataFormat> data_formats();
/// nullptr where there is none of that name.
const DataFormat* find_data_format(std::string_view kind);

/// The source that `--data TEXT` means: the name of built-in data, or else a path. Throws Error:
/// InputOutput, E0911 where neither exists; ModelOrData, E0910 where no format recognizes the path.
DataSource parse_data_argument(const std::string& text);

/// All of the data, in memory. Throws Error as the loaders do, and ModelOrData, E0910 for an
/// unknown kind, a path given to built-in data, or none given to a format that needs one.
DataSplit load_data(const DataSource& source);
/// Fields and row counts of what load_data gives, in about a millisecond; throws Error for what can
/// be seen without reading the rows.
DataDescription describe_data(const DataSource& source);

}  // namespace gradc
