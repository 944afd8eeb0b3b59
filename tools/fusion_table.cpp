// Microseconds of one run beside the rule's estimates; sums over a step.
#include "tools/fusion_table.h"

#include <fmt/format.h>

namespace gradc {
namespace {

double microseconds(double seconds) { return seconds * 1e6; }

std::string estimate_text(double ns) { return ns < 0 ? "" : fmt::format("{:.2f}", ns / 1e3); }

double total_gain(const std::vector<GroupGain>& groups) {
  double gain = 0;
  for (const GroupGain& group : groups) gain += group.gain();
  return gain;
}

size_t count(const std::vector<GroupGain>& groups, GroupGain::Verdict verdict) {
  size_t found = 0;
  for (const GroupGain& group : groups) found += group.verdict() == verdict ? 1 : 0;
  return found;
}

}  // namespace

nlohmann::ordered_json as_json(const GroupGain& gain) {
  nlohmann::ordered_json object = {{"event", "group"},
                                   {"group", gain.group},
                                   {"name", gain.name},
                                   {"kind", gain.kind},
                                   {"runs", gain.runs},
                                   {"apart_kernels", gain.parts_kernels},
                                   {"us", microseconds(gain.fused_time())},
                                   {"apart_us", microseconds(gain.parts_time())},
                                   {"step_gain_us", microseconds(gain.gain())},
                                   {"saved_bytes", gain.saved_bytes}};
  if (gain.estimated_fused_ns >= 0) object["estimated_us"] = gain.estimated_fused_ns / 1e3;
  if (gain.estimated_parts_ns >= 0) object["estimated_apart_us"] = gain.estimated_parts_ns / 1e3;
  object["verdict"] = name(gain.verdict());
  return object;
}

void add_group_totals(nlohmann::ordered_json& end, const std::vector<GroupGain>& groups) {
  end["groups"] = groups.size();
  end["groups_gaining"] = count(groups, GroupGain::Verdict::Gains);
  end["groups_losing"] = count(groups, GroupGain::Verdict::Loses);
  end["groups_gain_us"] = microseconds(total_gain(groups));
}

std::string as_markdown(const std::vector<GroupGain>& groups) {
  std::string page =
      "\n| group | ops | kind | runs | fused, us | apart, us | kernels apart | ratio | gain of "
      "a "
      "step, us | saved, MB | estimated, us | apart | verdict |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const GroupGain& group : groups) {
    const double fused = group.fused_time(), parts = group.parts_time();
    page += fmt::format(
        "| {} | {} | {} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.1f} | {:.3f} | {} | {} | {} |\n",
        group.group, group.name, group.kind, group.runs, microseconds(fused), microseconds(parts),
        group.parts_kernels, fused > 0 ? parts / fused : 0.0, microseconds(group.gain()),
        group.saved_bytes / 1e6, estimate_text(group.estimated_fused_ns),
        estimate_text(group.estimated_parts_ns), name(group.verdict()));
  }
  page += fmt::format("\n{} groups: {} gain, {} lose; together {:.1f} us of a step\n",
                      groups.size(), count(groups, GroupGain::Verdict::Gains),
                      count(groups, GroupGain::Verdict::Loses), microseconds(total_gain(groups)));
  for (const GroupGain& group : groups)
    if (group.verdict() == GroupGain::Verdict::Loses)
      page += fmt::format("\nagainst the rule: {} {} takes {:.2f} us, its parts {:.2f} us\n",
                          group.group, group.name, microseconds(group.fused_time()),
                          microseconds(group.parts_time()));
  return page;
}

}  // namespace gradc
