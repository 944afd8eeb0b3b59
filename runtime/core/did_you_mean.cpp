// The nearest of the names that would have been right.
#include "runtime/core/did_you_mean.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace gradc {
namespace {

constexpr int kEdit = 4;
constexpr int kCase = 1;
/// Longer names are compared by their first bytes: the cost grows with the square.
constexpr size_t kLongest = 80;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

int substitution(char a, char b) {
  if (a == b) return 0;
  return lower(a) == lower(b) ? kCase : kEdit;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongest);
  b = b.substr(0, kLongest);
  std::vector<int> before_last(b.size() + 1);
  std::vector<int> last(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j) * kEdit;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i) * kEdit;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min(
          {last[j] + kEdit, row[j - 1] + kEdit, last[j - 1] + substitution(a[i - 1], b[j - 1])});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before_last[j - 2] + kEdit);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> did_you_mean(std::string_view name,
                                        std::span<const std::string> candidates) {
  const int limit = std::max<int>(kEdit, static_cast<int>(name.size()) * kEdit / 3);
  int best = limit + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const int shorter = static_cast<int>(std::min(name.size(), candidate.size()));
    const auto longer = static_cast<int>(std::max(name.size(), candidate.size()));
    // So many insertions at least; most candidates need no closer look.
    if (longer <= static_cast<int>(kLongest) && (longer - shorter) * kEdit >= best) continue;
    const int distance = edit_distance(name, candidate);
    if (distance >= best || distance >= shorter * kEdit) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

std::vector<std::string> nearest(std::string_view name, std::span<const std::string> candidates,
                                 size_t count) {
  std::vector<std::pair<int, std::string>> ranked;
  for (const std::string& candidate : candidates)
    ranked.emplace_back(edit_distance(name, candidate), candidate);
  std::ranges::sort(ranked);
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(count, ranked.size()); ++i) names.push_back(ranked[i].second);
  return names;
}

}  // namespace gradc
