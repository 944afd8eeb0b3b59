// Parses and checks bounds.
#include "runtime/commands/requirement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/core/signal_safe.h"

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
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  check_requirement_names(requirements, names);
  ExitCode result = ExitCode::Done;
  for (const Requirement& requirement : requirements)
    for (const auto& [name, value] : values) {
      if (name != requirement.name || is_met(requirement, value)) continue;
      say(fmt::format("gradc: requirement not met: {} ({} is {:.6g})\n", requirement.text, name,
                      value));
      result = ExitCode::Requirement;
    }
  return result;
}

void check_requirement_names(const std::vector<Requirement>& requirements,
                             const std::vector<std::string>& names) {
  for (const Requirement& requirement : requirements)
    if (std::find(names.begin(), names.end(), requirement.name) == names.end())
      throw Error(ExitCode::Usage, "",
                  fmt::format("--require {}: there is no `{}`; there are: {}", requirement.text,
                              requirement.name, fmt::join(names, ", ")));
}

std::vector<std::string> metric_names(Session& session) {
  std::vector<std::string> names;
  for (const ProgramOutput& output : session.program(GraphMode::Metrics, 0).outputs)
    if (output.type.shape.rank() == 0) names.push_back(output.name);
  return names;
}

void add_requirement_flag(Flags& flags, std::vector<Requirement>& requirements) {
  flags
      .add_reader(
          "--require",
          [&requirements](const std::string& text) {
            requirements.push_back(parse_requirement(text));
          },
          "NAME>=NUMBER: exit 3 unless the result meets it")
      .one_at_a_time();
}

}  // namespace gradc
