// Patterns of paths: "backbone.stem", "block.*.norm", "**.bias".
#pragma once
#include <string_view>

namespace gradc {

/// True where the pattern matches the path or something above it: what a pattern matches is
/// selected with all below. `*` stands for one segment, `**` for any number, also none.
bool selects(std::string_view pattern, std::string_view path);

}  // namespace gradc
