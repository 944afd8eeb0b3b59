// Times on the command line.
#pragma once
#include <optional>
#include <string>

namespace gradc {

/// Seconds of "90s", "10m", "1.5h", "2d"; nothing for a text of another form, a negative or an
/// endless time.
std::optional<double> parse_duration(const std::string& text);

}  // namespace gradc
