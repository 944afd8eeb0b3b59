// Matches segment by segment, keeping the set of places that may have been reached.
#include "runtime/core/path_pattern.h"

#include <string>
#include <vector>

namespace gradc {

namespace {

/// The path of the model itself, "", has no segments.
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    parts.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
    if (path.empty()) parts.emplace_back();
  }
  return parts;
}

}  // namespace

bool selects(std::string_view pattern, std::string_view path) {
  const std::vector<std::string_view> places = segments(path);
  // reached[i]: the pattern so far matches the first i segments.
  std::vector<bool> reached(places.size() + 1, false);
  reached[0] = !pattern.empty();
  for (const std::string_view part : segments(pattern)) {
    std::vector<bool> next(reached.size(), false);
    bool is_open = false;
    for (size_t i = 0; i < reached.size(); ++i) {
      is_open = is_open || reached[i];
      if (part == "**") {
        next[i] = is_open;
      } else if (reached[i] && i < places.size() && (part == "*" || part == places[i])) {
        next[i + 1] = true;
      }
    }
    reached = std::move(next);
  }
  for (const bool is_reached : reached)
    if (is_reached) return true;
  return false;
}

}  // namespace gradc
