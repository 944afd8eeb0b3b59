// --require 'accuracy>=0.978': a bound that the results of a command must meet.
#pragma once
#include <string>
#include <vector>

#include "runtime/commands/flags.h"
#include "runtime/session.h"

namespace gradc {

/// NAME, one of >= <= > <, and a number.
struct Requirement {
  std::string text;
  std::string name;
  std::string comparison;
  double bound = 0;
};

/// Throws Error (Usage) where the text has another form.
Requirement parse_requirement(const std::string& text);

/// Holds for a value; a NaN meets nothing.
bool is_met(const Requirement& requirement, double value);

/// Prints each requirement that `values` do not meet to stderr; Requirement if there is one, else
/// Done. Throws Error (Usage) for a name that is not among the values.
ExitCode check_requirements(const std::vector<Requirement>& requirements,
                            const NamedValues& values);

/// Throws Error (Usage) for a requirement on a name that is not among `names`.
void check_requirement_names(const std::vector<Requirement>& requirements,
                             const std::vector<std::string>& names);
/// The losses and metrics that a pass will give.
std::vector<std::string> metric_names(Session& session);

/// Declares --require; the texts are checked when the command line is read.
void add_requirement_flag(Flags& flags, std::vector<Requirement>& requirements);

}  // namespace gradc
