// The fusion report as JSON and as a table.
#pragma once
#include <nlohmann/json.hpp>

#include "tools/fusion_report.h"

namespace gradc {

/// An object with "event": "group".
nlohmann::ordered_json as_json(const GroupGain& gain);
/// Adds counts and the sum to the object with "event": "end".
void add_group_totals(nlohmann::ordered_json& end, const std::vector<GroupGain>& groups);
/// A table, its sums, and a line for each group that loses although the rule formed it.
std::string as_markdown(const std::vector<GroupGain>& groups);

}  // namespace gradc
