// A number and a unit.
#include "runtime/commands/duration.h"

#include <cmath>
#include <cstdlib>
#include <utility>

namespace gradc {

std::optional<double> parse_duration(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  if (end == text.c_str() || !std::isfinite(number) || number < 0) return std::nullopt;
  for (const auto& [name, seconds] :
       {std::pair{"s", 1.0}, {"m", 60.0}, {"h", 3600.0}, {"d", 86400.0}})
    if (unit == name) return number * seconds;
  return std::nullopt;
}

}  // namespace gradc
