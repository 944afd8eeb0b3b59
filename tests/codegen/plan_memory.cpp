// The memory plan: disjoint while alive, tight, the same every time.
#include "codegen/plan_memory.h"

#include "runtime/core/error.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

namespace gradc {
namespace {

bool overlap(int64_t a, int64_t a_bytes, int64_t b, int64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

/// Is `later` the taker of `earlier`'s memory, directly or through others?
bool descends(const std::vector<ArenaRequest>& requests, size_t earlier, size_t later) {
  while (requests[later].takes_over >= 0) {
    later = static_cast<size_t>(requests[later].takes_over);
    if (later == earlier) return true;
  }
  return false;
}

/// Requests of a random program, some taking over a dying one of the same size.
std::vector<ArenaRequest> random_requests() {
  const int count = *rc::gen::inRange(0, 40);
  std::vector<ArenaRequest> requests;
  std::vector<bool> is_taken;
  for (int i = 0; i < count; ++i) {
    ArenaRequest request{fmt::format("r{}", i), *rc::gen::inRange(0, 9) * 100,
                         *rc::gen::inRange(0, 20), 0, -1};
    for (size_t j = 0; j < requests.size() && *rc::gen::inRange(0, 3) == 0; ++j) {
      if (is_taken[j]) continue;
      request.takes_over = static_cast<int32_t>(j);
      request.bytes = requests[j].bytes;
      request.first = requests[j].last;
      is_taken[j] = true;
      break;
    }
    request.last = request.first + *rc::gen::inRange(0, 6);
    requests.push_back(request);
    is_taken.push_back(false);
  }
  return requests;
}

TEST_CASE("plan_memory: what is alive together is apart") {
  const bool holds = rc::check("disjoint", [] {
    const std::vector<ArenaRequest> requests = random_requests();
    const MemoryPlan plan = plan_memory(requests);
    RC_ASSERT(plan.offsets.size() == requests.size());
    RC_ASSERT(plan.lower_bound <= plan.arena_bytes);
    for (size_t a = 0; a < requests.size(); ++a) {
      RC_ASSERT(plan.offsets[a] >= 0);
      RC_ASSERT(plan.offsets[a] % kArenaAlignment == 0);
      RC_ASSERT(plan.offsets[a] + requests[a].bytes <= plan.arena_bytes);
      for (size_t b = a + 1; b < requests.size(); ++b) {
        const bool same_time =
            requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
        if (!same_time || requests[a].bytes == 0 || requests[b].bytes == 0) continue;
        if (descends(requests, a, b)) {
          RC_ASSERT(plan.offsets[a] == plan.offsets[b]);
          continue;
        }
        RC_ASSERT(!overlap(plan.offsets[a], requests[a].bytes, plan.offsets[b], requests[b].bytes));
      }
    }
    RC_ASSERT(plan_memory(requests).offsets == plan.offsets);
  });
  CHECK(holds);
}

TEST_CASE("plan_memory: a chain needs two pieces, in place only one") {
  std::vector<ArenaRequest> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({"link", 1000, i, i + 1, -1});
  CHECK(plan_memory(chain).arena_bytes == 2 * 1024);
  CHECK(plan_memory(chain).lower_bound == 2 * 1024);
  for (int i = 1; i < 10; ++i) chain[static_cast<size_t>(i)].takes_over = i - 1;
  CHECK(plan_memory(chain).arena_bytes == 1024);
  CHECK(plan_memory(chain).lower_bound == 1024);
}

TEST_CASE("plan_memory: a small piece goes into the tightest gap") {
  const std::vector<ArenaRequest> requests{
      {"large", 640, 0, 1, -1},  {"mark", 640, 0, 9, -1}, {"wide", 320, 2, 9, -1},
      {"middle", 256, 0, 9, -1}, {"small", 64, 2, 3, -1}, {"other", 256, 2, 3, -1},
  };
  const MemoryPlan plan = plan_memory(requests);
  CHECK(plan.arena_bytes == plan.lower_bound);
}

TEST_CASE("plan_memory: each order of placement is the only one that is tight somewhere") {
  const std::vector<std::vector<ArenaRequest>> cases{
      {{"a", 128, 3, 6, -1}, {"b", 128, 5, 6, -1}, {"c", 128, 5, 5, -1}, {"d", 192, 1, 3, -1}},
      {{"a", 192, 2, 2, -1}, {"b", 192, 0, 3, -1}, {"c", 256, 5, 6, -1}, {"d", 64, 3, 5, -1}},
      {{"a", 192, 0, 3, -1}, {"b", 256, 5, 6, -1}, {"c", 256, 0, 2, -1}, {"d", 128, 3, 5, -1}},
  };
  for (const std::vector<ArenaRequest>& requests : cases) {
    const MemoryPlan plan = plan_memory(requests);
    CHECK(plan.arena_bytes == plan.lower_bound);
  }
}

TEST_CASE("plan_memory: what cannot be taken over is refused") {
  const std::vector<ArenaRequest> wrong_size{{"a", 64, 0, 1, -1}, {"b", 128, 1, 2, 0}};
  CHECK_THROWS_AS(plan_memory(wrong_size), InternalError);
  const std::vector<ArenaRequest> wrong_time{{"a", 64, 0, 2, -1}, {"b", 64, 1, 2, 0}};
  CHECK_THROWS_AS(plan_memory(wrong_time), InternalError);
}

}  // namespace
}  // namespace gradc
