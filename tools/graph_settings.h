// Overrides of the settings that a dumped graph carries.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ir/attrs.h"

namespace gradc {

/// `settings` with each KEY=VALUE applied. A graph has no expressions left: a value is a number,
/// true, false or a string of the kind the setting has. Throws Error (Usage) for an unknown key or
/// another kind. `epochs` replaces `steps` and the other way round.
Attrs override_settings(Attrs settings,
                        const std::vector<std::pair<std::string, std::string>>& overrides);

}  // namespace gradc
