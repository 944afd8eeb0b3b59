// Where in the arena each intermediate result lives.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gradc {

/// A piece of memory alive from step `first` to step `last`, both included.
struct ArenaRequest {
  std::string name;
  int64_t bytes = 0;
  int32_t first = 0;
  int32_t last = 0;
  /// Position of an earlier request of the same size that this one takes over: its `last` is this
  /// one's `first`. -1: none. At most one request takes over another.
  int32_t takes_over = -1;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // by request; multiples of kArenaAlignment
  int64_t arena_bytes = 0;
  std::vector<int64_t> alive;  // by step: bytes, each piece rounded up
  int64_t lower_bound = 0;     // the most of them
};

inline constexpr int64_t kArenaAlignment = 64;
/// The next multiple of kArenaAlignment.
int64_t round_to_alignment(int64_t bytes);

/// Requests that are alive at the same step get disjoint memory, except those that take over.
/// Largest first, each into the tightest gap that is free for its whole life. Depends on nothing
/// but the requests.
MemoryPlan plan_memory(std::span<const ArenaRequest> requests);

}  // namespace gradc
