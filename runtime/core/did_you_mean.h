// The nearest of the names that would have been right.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradc {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
/// (letters of different case count a quarter, so `Dense` is next to `dense`), times four.
int edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, if near enough to be a slip: at most a third of its length.
std::optional<std::string> did_you_mean(std::string_view name,
                                        std::span<const std::string> candidates);

/// Up to `count` candidates, nearest first, whatever the distance.
std::vector<std::string> nearest(std::string_view name, std::span<const std::string> candidates,
                                 size_t count);

}  // namespace gradc
