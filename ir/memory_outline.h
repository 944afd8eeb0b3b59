// What the plan of a fused graph's memory looks like, for those who would change the graph.
#pragma once
#include <cstdint>
#include <vector>

namespace gradc {

struct MemoryOutline {
  int64_t arena_bytes = 0;
  std::vector<int64_t> alive;      // by point of time: bytes of the arena
  std::vector<int32_t> node_time;  // by node: when it is computed; -1 for views and constants
  std::vector<bool> in_arena;      // by value; views have what they are views of
};

}  // namespace gradc
