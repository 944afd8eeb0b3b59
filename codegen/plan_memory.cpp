// Greedy placement in several orders, of which the smallest is taken.
#include "codegen/plan_memory.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "runtime/core/error.h"

namespace gradc {

namespace {

/// Requests that take over each other, as one.
struct Block {
  int64_t bytes = 0;
  int32_t first = 0;
  int32_t last = 0;
  int64_t offset = 0;
};

bool overlap_in_time(const Block& a, const Block& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Start of the smallest gap between the placed blocks that overlap `block` in time; the end of
/// them where it fits in none.
int64_t find_gap(const std::vector<const Block*>& placed, const Block& block) {
  std::vector<const Block*> rivals;
  for (const Block* other : placed)
    if (other->bytes > 0 && overlap_in_time(*other, block)) rivals.push_back(other);
  std::sort(rivals.begin(), rivals.end(),
            [](const Block* a, const Block* b) { return a->offset < b->offset; });
  int64_t end = 0;
  int64_t best_offset = -1;
  int64_t best_gap = std::numeric_limits<int64_t>::max();
  for (const Block* rival : rivals) {
    const int64_t gap = rival->offset - end;
    if (gap >= block.bytes && gap < best_gap) {
      best_gap = gap;
      best_offset = end;
    }
    end = std::max(end, rival->offset + rival->bytes);
  }
  return best_offset >= 0 ? best_offset : end;
}

/// Blocks of the requests and, by request, its block.
std::vector<Block> merge_requests(std::span<const ArenaRequest> requests,
                                  std::vector<size_t>& block_of) {
  std::vector<Block> blocks;
  for (const ArenaRequest& request : requests) {
    CHECK(request.bytes >= 0 && request.first <= request.last, "request {}", request.name);
    const int64_t bytes = round_to_alignment(request.bytes);
    if (request.takes_over < 0) {
      block_of.push_back(blocks.size());
      blocks.push_back({bytes, request.first, request.last, 0});
      continue;
    }
    const auto earlier = static_cast<size_t>(request.takes_over);
    CHECK(earlier < block_of.size(), "{} takes over a later request", request.name);
    Block& block = blocks[block_of[earlier]];
    CHECK(block.bytes == bytes && block.last == request.first, "{} cannot take over {}",
          request.name, requests[earlier].name);
    block.last = request.last;
    block_of.push_back(block_of[earlier]);
  }
  return blocks;
}

std::vector<int64_t> alive_bytes(const std::vector<Block>& blocks) {
  int32_t end = 0;
  for (const Block& block : blocks) end = std::max(end, block.last + 1);
  std::vector<int64_t> change(static_cast<size_t>(end) + 1, 0);
  for (const Block& block : blocks) {
    change[static_cast<size_t>(block.first)] += block.bytes;
    change[static_cast<size_t>(block.last) + 1] -= block.bytes;
  }
  std::partial_sum(change.begin(), change.end(), change.begin());
  change.pop_back();
  return change;
}

/// Blocks of a higher rank are placed earlier. No rank is best for all programs.
using Rank = double (*)(const Block&);
constexpr Rank kRanks[] = {
    [](const Block& block) { return static_cast<double>(block.bytes); },
    [](const Block& block) { return static_cast<double>(block.last - block.first); },
    [](const Block& block) {
      return static_cast<double>(block.bytes) * static_cast<double>(block.last - block.first + 1);
    },
    [](const Block& block) { return -static_cast<double>(block.first); },
};

/// Sets the offsets, block after block; returns where the last one ends.
int64_t place(std::vector<Block>& blocks, Rank rank) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(rank(blocks[a]), blocks[a].bytes) >
           std::pair(rank(blocks[b]), blocks[b].bytes);
  });
  std::vector<const Block*> placed;
  int64_t end = 0;
  for (size_t position : order) {
    Block& block = blocks[position];
    block.offset = find_gap(placed, block);
    end = std::max(end, block.offset + block.bytes);
    placed.push_back(&block);
  }
  return end;
}

}  // namespace

int64_t round_to_alignment(int64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

MemoryPlan plan_memory(std::span<const ArenaRequest> requests) {
  std::vector<size_t> block_of;
  std::vector<Block> blocks = merge_requests(requests, block_of);
  MemoryPlan plan;
  plan.alive = alive_bytes(blocks);
  for (int64_t bytes : plan.alive) plan.lower_bound = std::max(plan.lower_bound, bytes);
  plan.arena_bytes = std::numeric_limits<int64_t>::max();
  for (const Rank rank : kRanks) {
    if (plan.arena_bytes == plan.lower_bound) break;
    const int64_t bytes = place(blocks, rank);
    if (bytes >= plan.arena_bytes) continue;
    plan.arena_bytes = bytes;
    plan.offsets.clear();
    for (size_t block : block_of) plan.offsets.push_back(blocks[block].offset);
  }
  return plan;
}

}  // namespace gradc
