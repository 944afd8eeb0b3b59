// Flags by CLI11.
#include "runtime/commands/flags.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <type_traits>

namespace gradc {

const Flag& Flag::required(bool is_required) const {
  option_->required(is_required);
  return *this;
}

const Flag& Flag::describe(const std::string& help) const {
  option_->description(help);
  return *this;
}

const Flag& Flag::one_at_a_time() const {
  option_->allow_extra_args(false);
  return *this;
}

const Flag& Flag::one_of(const std::vector<std::string>& values) const {
  option_->check(CLI::IsMember(values));
  return *this;
}

const Flag& Flag::in_range(int64_t least, int64_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

const Flag& Flag::in_real_range(double least, double most) const {
  option_->check(CLI::Range(least, most));
  option_->check([](const std::string& text) {  // no range has it outside
    return std::isnan(std::strtod(text.c_str(), nullptr)) ? "not a number" : std::string();
  });
  return *this;
}

const Flag& Flag::as_path() const {
  option_->check([](const std::string& text) {
    return text.empty() ? "an empty path (a variable that is not set?)" : std::string();
  });
  return *this;
}

const Flag& Flag::in_bytes() const {
  option_->transform(CLI::AsSizeValue(false));
  option_->check(CLI::Range(int64_t{1}, int64_t{1} << 60));
  return *this;
}

const Flag& Flag::needs(const Flag& other) const {
  option_->needs(other.option_);
  return *this;
}

const Flag& Flag::excludes(const Flag& other) const {
  option_->excludes(other.option_);
  return *this;
}

Flag Flags::add(const std::string& names, const FlagTarget& target, const std::string& help) {
  return Flag(std::visit(
      [&](auto* value) {
        if constexpr (std::is_same_v<decltype(value), bool*>)
          return app_.add_flag(names, *value, help);
        else
          return app_.add_option(names, *value, help);
      },
      target));
}

Flag Flags::add_reader(const std::string& names, std::function<void(const std::string&)> read,
                       const std::string& help) {
  return Flag(app_.add_option_function<std::vector<std::string>>(
      names,
      [read = std::move(read)](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) read(text);
      },
      help));
}

Flag Flags::find(const std::string& name) const { return Flag(app_.get_option(name)); }

}  // namespace gradc
