// Greedy: where most bytes are alive, the copies that save most for their cost.
#include "passes/recompute.h"

#include <algorithm>

#include "ir/computing_ops.h"
#include "ir/op.h"
#include "passes/recompute_plan.h"

namespace gradc {
namespace {

/// Plans of memory for one choice; they bound the time of a search.
constexpr size_t kMaxTries = 16;
/// Copies that save less than this share of what is missing come last: there would be many.
constexpr int64_t kWorthwhileShare = 64;

std::string describe(const Graph& graph, const NodeCopy& copy) {
  const Node& node = graph.nodes()[static_cast<size_t>(copy.node)];
  std::string types;
  for (size_t k = 0; k < copy.results.size(); ++k)
    if (copy.results[k])
      types +=
          fmt::format("{}{}", types.empty() ? "" : ", ", to_string(graph.type(node.results[k])));
  return fmt::format("{}: {}", copy.slice ? title_of_ops(copy.slice->body) : "scan", types);
}

RecomputedValues describe(const Graph& graph, const CopyPlan& plan) {
  RecomputedValues values{"", plan.saved_bytes, plan.cost_ns};
  for (size_t c = plan.copies.size(); c-- > 0;)
    values.what += fmt::format("{}{}", values.what.empty() ? "" : "; for that ",
                               describe(graph, plan.copies[c]));
  return values;
}

class Search {
 public:
  Search(const Graph& fused, int64_t limit, const OutlineMemory& outline)
      : limit_(limit), outline_(outline), memory_(outline(fused)) {
    current_.graph = fused;
    current_.arena_before = current_.arena_after = memory_.arena_bytes;
  }

  Recomputation run() {
    Recomputation best = current_;
    for (const Effort effort : {Effort::Cheap, Effort::Product, Effort::Scan})
      while (best.arena_after > limit_ && step(effort))
        if (current_.arena_after < best.arena_after) best = current_;
    return best;
  }

 private:
  /// One more choice where most is alive; false if none helps.
  bool step(Effort effort) {
    const auto peak = std::max_element(memory_.alive.begin(), memory_.alive.end());
    if (peak == memory_.alive.end()) return false;
    std::vector<CopyPlan> plans =
        plan_copies(current_.graph, memory_, static_cast<int32_t>(peak - memory_.alive.begin()));
    std::erase_if(plans, [&](const CopyPlan& plan) { return plan.effort > effort; });
    const int64_t worthwhile = std::max<int64_t>(*peak - limit_, 0) / kWorthwhileShare;
    const auto rank = [&](const CopyPlan& plan) {
      return std::pair(plan.saved_bytes >= worthwhile,
                       static_cast<double>(plan.saved_bytes) / plan.cost_ns);
    };
    std::stable_sort(plans.begin(), plans.end(),
                     [&](const CopyPlan& a, const CopyPlan& b) { return rank(a) > rank(b); });
    if (plans.size() > kMaxTries) plans.resize(kMaxTries);
    return std::any_of(plans.begin(), plans.end(),
                       [&](const CopyPlan& plan) { return try_plan(plan); });
  }

  bool try_plan(const CopyPlan& plan) {
    Graph changed = apply_copies(current_.graph, plan);
    MemoryOutline memory = outline_(changed);
    if (most_alive(memory) >= most_alive(memory_)) return false;
    current_.values.push_back(describe(current_.graph, plan));
    current_.graph = std::move(changed);
    current_.arena_after = memory.arena_bytes;
    memory_ = std::move(memory);
    return true;
  }

  /// The most bytes alive, and for how long.
  static std::pair<int64_t, int64_t> most_alive(const MemoryOutline& memory) {
    const int64_t most = *std::max_element(memory.alive.begin(), memory.alive.end());
    return {most, std::count(memory.alive.begin(), memory.alive.end(), most)};
  }

  int64_t limit_;
  const OutlineMemory& outline_;
  MemoryOutline memory_;
  Recomputation current_;
};

}  // namespace

Recomputation fit_memory(const Graph& fused, int64_t limit, const OutlineMemory& outline) {
  return Search(fused, limit, outline).run();
}

}  // namespace gradc
