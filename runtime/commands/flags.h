// What a command declares of its flags. The parser of command lines stays behind it: its headers
// take seconds to compile.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gradc {

/// A declared flag, or a word without dashes; each function narrows what it takes and returns it
/// again.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  const Flag& required(bool is_required = true) const;
  /// Replaces its help.
  const Flag& describe(const std::string& help) const;
  /// A list takes one value for each time that the flag is written.
  const Flag& one_at_a_time() const;
  const Flag& one_of(const std::vector<std::string>& values) const;
  const Flag& in_range(int64_t least, int64_t most) const;
  const Flag& in_real_range(double least, double most) const;
  /// Not empty.
  const Flag& as_path() const;
  /// A number of bytes, at least 1, with a unit or without: 4096, 512M, 2G are powers of 1024.
  const Flag& in_bytes() const;
  const Flag& needs(const Flag& other) const;
  const Flag& excludes(const Flag& other) const;

 private:
  CLI::Option* option_;
};

/// Where the value of a flag is read into; a bool is a flag without a value.
using FlagTarget = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::string*,
                                std::optional<int64_t>*, std::vector<std::string>*>;

/// The flags of one command.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  /// `names` as in "-o,--out"; `target` outlives the reading of the command line.
  Flag add(const std::string& names, const FlagTarget& target, const std::string& help);
  /// Calls `read` for each value.
  Flag add_reader(const std::string& names, std::function<void(const std::string&)> read,
                  const std::string& help);
  /// One that is declared already.
  Flag find(const std::string& name) const;

 private:
  CLI::App& app_;
};

}  // namespace gradc
