// Data by name: the table of built-in data and of formats on disk.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

enum class OptionKind { Share, Count, Names };

/// What may stand behind the path: text("a.txt", window = 129).
struct DataOption {
  std::string_view name;
  OptionKind kind;
  /// Of a Count.
  double least = 0;
  double most = 0;
};

/// One row per kind of data. The next one is added in load.cpp, nowhere else.
struct DataFormat {
  std::string_view kind;
  /// One line for help texts.
  std::string_view summary;
  /// Whether a path that exists is of this format; nullptr for built-in data.
  bool (*recognizes)(const std::string& path);
  /// The source is of this kind and its options are those below. Rows may be left to fillers.
  DataSplit (*load)(const DataSource& source);
  /// The same data without reading all of it, where that is possible.
  DataDescription (*describe)(const DataSource& source);
  std::span<const DataOption> options = {};
  /// Made to fit what a model declares: DataSource::declared is to be set.
  bool fits_model = false;

  bool is_built_in() const { return recognizes == nullptr; }
};

std::span<const DataFormat> data_formats();
/// nullptr where there is none of that name.
const DataFormat* find_data_format(std::string_view kind);

/// The source that `text` means: FORMAT("path", option = value), the name of built-in data, or else
/// a path. Throws Error: InputOutput, E0911 where neither exists; ModelOrData, E0910 where no
/// format recognizes the path, or the call has another form.
DataSource parse_data_source(const std::string& text);

/// Is the data made to fit what a model declares?
bool fits_model(const DataSource& source);

/// The source that `--data TEXT` means where the model has `own`: a path in the format of the
/// model's own data keeps its options, and any file is text where the model's own data is text.
/// Throws as parse_data_source does.
DataSource replace_data_source(const DataSource& own, const std::string& text);

/// All of the data, in memory. Throws Error as the loaders do, and ModelOrData, E0910 for an
/// unknown kind, a path given to built-in data, none given to a format that needs one, or an option
/// that the format does not have or that is out of its range.
DataSplit load_data(const DataSource& source);
/// The same, but fields may have fillers, and then most of their rows are not made yet.
DataSplit open_data(const DataSource& source);
/// Fields and row counts of what load_data gives, without reading the rows where the format allows;
/// throws Error for what can be seen so.
DataDescription describe_data(const DataSource& source);

}  // namespace gradc
