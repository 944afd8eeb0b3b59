// Parses and checks bounds.
#include "tools/requirement.h"

#include <fmt/format.h>

#include <charconv>

namespace gradc {

Requirement parse_requirement(const std::string& text) {
  Requirement requirement;
  requirement.text = text;
  for (const char* comparison : {">=", "<=", ">", "<"}) {
    const size_t place = text.find(comparison);
    if (place == std::string::npos || place == 0) continue;
    requirement.name = text.substr(0, place);
    while (requirement.name.ends_with(' ')) requirement.name.pop_back();
    requirement.comparison = comparison;
    const char* first = text.c_str() + place + requirement.comparison.size();
    while (*first == ' ') ++first;
    const char* last = text.c_str() + text.size();
    const auto [end, fault] = std::from_chars(first, last, requirement.bound);
    if (fault == std::errc() && end == last && !requirement.name.empty()) return requirement;
    break;
  }
  throw Error(ExitCode::Usage, "",
              fmt::format("--require wants NAME>=NUMBER (or <=, >, <), got `{}`", text));
}

bool is_met(const Requirement& requirement, double value) {
  if (requirement.comparison == ">=") return value >= requirement.bound;
  if (requirement.comparison == "<=") return value <= requirement.bound;
  if (requirement.comparison == ">") return value > requirement.bound;
  return value < requirement.bound;
}

ExitCode check_requirements(const std::vector<Requirement>& requirements,
                            const NamedValues& values) {
  ExitCode result = ExitCode::Done;
  for (const Requirement& requirement : requirements) {
    std::string known;
    const double* found = nullptr;
    for (const auto& [name, value] : values) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
      if (name == requirement.name) found = &value;
    }
    if (found == nullptr)
      throw Error(ExitCode::Usage, "",
                  fmt::format("--require {}: there is no `{}`; there are: {}", requirement.text,
                              requirement.name, known));
    if (is_met(requirement, *found)) continue;
    fmt::print(stderr, "gradc: requirement not met: {} ({} is {:.6g})\n", requirement.text,
               requirement.name, *found);
    result = ExitCode::Requirement;
  }
  return result;
}

void add_requirement_flag(CLI::App& app, std::vector<Requirement>& requirements) {
  app.add_option_function<std::vector<std::string>>(
         "--require",
         [&requirements](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) requirements.push_back(parse_requirement(text));
         },
         "NAME>=NUMBER: exit 3 unless the result meets it")
      ->allow_extra_args(false);
}

}  // namespace gradc
