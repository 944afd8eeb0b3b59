// What a train block or --data says about data, as text and taken apart.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/core/shape.h"

namespace gradc {

using OptionValue = std::variant<bool, double, std::string, std::vector<std::string>>;

/// What a model declares of an input: a row's type, and what its integers stay below (0: anything).
struct DeclaredField {
  std::string name;
  Type row_type;
  int64_t limit = 0;

  friend bool operator==(const DeclaredField&, const DeclaredField&) = default;
};

/// `kind` is the name of a data format; `path` is empty for built-in data.
struct DataSource {
  std::string kind;
  std::string path;
  /// By name; those that are not given have the format's defaults.
  std::map<std::string, OptionValue> options = {};
  /// The fields that the reader has a use for, with the dtype they should have where it matters;
  /// empty: all. A format whose file leaves the dtype open (CSV) follows it.
  std::map<std::string, std::optional<DType>> wanted = {};
  /// The same in full, for data that is made to fit; empty for all other kinds.
  std::vector<DeclaredField> declared = {};

  friend bool operator==(const DataSource&, const DataSource&) = default;

  double number(const std::string& option, double otherwise) const;
  /// Empty where it is not given.
  std::vector<std::string> names(const std::string& option) const;
};

/// Whether `text` is NAME(...), so a source that is written as a call.
bool is_data_call(std::string_view text);

/// Reads NAME("path", option = value, ...): a value is a number, true or false, a "string", or a
/// list of strings. Throws Error (ModelOrData, E0910) where the text has another form.
DataSource parse_data_call(std::string_view text);

/// What a call says beside the path: the same for sources that read the same out of another folder.
/// Empty for a text that is no call.
std::string without_path(std::string_view text);

/// The text that parse_data_call reads; the name alone where there is neither path nor option.
std::string to_text(const DataSource& source);

}  // namespace gradc
