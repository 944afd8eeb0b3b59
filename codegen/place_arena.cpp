// Lives of the arena storages, their plan, and what both look like as text.
#include <algorithm>

#include "codegen/draft.h"
#include "codegen/plan_memory.h"

namespace gradc {

namespace {

/// First and last block, as positions in the order.
struct Life {
  int32_t first = -1;
  int32_t last = -1;

  void extend(int32_t time) {
    if (first < 0) first = time;
    last = std::max(last, time);
  }
};

std::vector<Life> find_lives(const Draft& draft, const std::vector<int32_t>& order) {
  std::vector<Life> lives(draft.storages.size());
  for (size_t time = 0; time < order.size(); ++time) {
    const StepBlock& block = draft.blocks[static_cast<size_t>(order[time])];
    for (const auto* list : {&block.reads, &block.writes, &block.scratch})
      for (int32_t storage : *list)
        lives[static_cast<size_t>(storage)].extend(static_cast<int32_t>(time));
  }
  return lives;
}

/// taken[s]: the storage whose memory s takes over where it is computed, or -1.
std::vector<int32_t> find_takeovers(const Draft& draft, const std::vector<int32_t>& order,
                                    const std::vector<Life>& lives) {
  std::vector<int32_t> taken(draft.storages.size(), -1);
  std::vector<bool> is_given(draft.storages.size(), false);
  for (size_t time = 0; time < order.size(); ++time) {
    for (const auto& [read, written] : draft.blocks[static_cast<size_t>(order[time])].in_place) {
      const Storage& old_value = draft.storage(read);
      const Storage& new_value = draft.storage(written);
      if (old_value.place != Place::Arena || new_value.place != Place::Arena) continue;
      if (round_to_alignment(old_value.bytes) != round_to_alignment(new_value.bytes)) continue;
      if (lives[static_cast<size_t>(read)].last != static_cast<int32_t>(time)) continue;
      if (is_given[static_cast<size_t>(read)] || taken[static_cast<size_t>(written)] >= 0) continue;
      is_given[static_cast<size_t>(read)] = true;
      taken[static_cast<size_t>(written)] = read;
    }
  }
  return taken;
}

std::string describe_plan(const Draft& draft, const std::vector<Life>& lives,
                          const std::vector<int32_t>& taken, const Program& program) {
  std::string text = fmt::format(
      "arena {} (at least {} alive at once), constants {}\n", readable_bytes(program.arena_bytes),
      readable_bytes(program.arena_lower_bound), readable_bytes(program.constants.size_bytes()));
  for (size_t s = 0; s < draft.storages.size(); ++s) {
    const Storage& storage = draft.storages[s];
    const Life& life = lives[s];
    if (storage.place != Place::Arena || life.first < 0) continue;
    text +=
        fmt::format("  b{:<4} offset {:>10}  {:>10}  steps {:>3} to {:>3}  {}", s, storage.offset,
                    readable_bytes(storage.bytes), life.first, life.last, storage.name);
    if (taken[s] >= 0) text += fmt::format(", in the memory of b{}", taken[s]);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string place_arena(Draft& draft, const std::vector<int32_t>& order, Program& program,
                        std::vector<int64_t>& alive) {
  const std::vector<Life> lives = find_lives(draft, order);
  const std::vector<int32_t> taken = find_takeovers(draft, order, lives);
  // A request that takes over must stand behind the one it follows: requests go by first step.
  std::vector<int32_t> listed;
  for (size_t s = 0; s < draft.storages.size(); ++s)
    if (draft.storages[s].place == Place::Arena && lives[s].first >= 0)
      listed.push_back(static_cast<int32_t>(s));
  std::stable_sort(listed.begin(), listed.end(), [&](int32_t a, int32_t b) {
    return lives[static_cast<size_t>(a)].first < lives[static_cast<size_t>(b)].first;
  });
  std::vector<int32_t> request_of(draft.storages.size(), -1);
  std::vector<ArenaRequest> requests;
  for (int32_t s : listed) {
    const auto position = static_cast<size_t>(s);
    request_of[position] = static_cast<int32_t>(requests.size());
    const int32_t taken_request =
        taken[position] < 0 ? -1 : request_of[static_cast<size_t>(taken[position])];
    requests.push_back({draft.storage(s).name, draft.storage(s).bytes, lives[position].first,
                        lives[position].last, taken_request});
  }
  const MemoryPlan plan = plan_memory(requests);
  for (size_t i = 0; i < listed.size(); ++i) draft.storage(listed[i]).offset = plan.offsets[i];
  alive = plan.alive;
  alive.resize(order.size(), 0);
  program.arena_bytes = plan.arena_bytes;
  program.arena_lower_bound = plan.lower_bound;
  return describe_plan(draft, lives, taken, program);
}

std::string readable_bytes(int64_t bytes) {
  constexpr double kKibi = 1024;
  const auto number = static_cast<double>(bytes);
  if (number < kKibi) return fmt::format("{} B", bytes);
  if (number < kKibi * kKibi) return fmt::format("{:.1f} KiB", number / kKibi);
  return fmt::format("{:.1f} MiB", number / kKibi / kKibi);
}

}  // namespace gradc
