// Overrides of the settings that a dumped graph carries.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ir/attrs.h"

namespace gradc {

/// The settings that a dumped graph must have, with their kinds and ranges. Throws Error
/// (`exit_code`, E0111) for one that is missing, unknown, of another kind or out of range.
void check_settings(const Attrs& settings, ExitCode exit_code);

/// `settings` with each KEY=VALUE applied. A graph has no expressions left: a value is a number,
/// true, false or a string of the kind the setting has. Throws Error (Usage) for an unknown key or
/// another kind. `epochs` replaces `steps` and the other way round.
Attrs override_settings(Attrs settings,
                        const std::vector<std::pair<std::string, std::string>>& overrides);

}  // namespace gradc
