// Settings of the OpenMP runtime.
#include "runtime/threads.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "runtime/core/error.h"

namespace gradc {

namespace {

constexpr const char* kSpinCount = "1000";

/// 0: all cores.
std::atomic<int> requested_threads = 0;
constexpr int kNoScope = -1;
thread_local int scope_threads = kNoScope;

}  // namespace

int available_cores() {
  static const int cores = std::max(1, omp_get_num_procs());
  return cores;
}

void set_threads(int threads) {
  CHECK(threads >= 0, "{} threads", threads);
  requested_threads = threads;
}

int threads() {
  const int requested = scope_threads == kNoScope ? requested_threads.load() : scope_threads;
  return requested > 0 ? requested : available_cores();
}

ThreadScope::ThreadScope(int threads) : outer_(scope_threads) {
  CHECK(threads >= 0, "{} threads", threads);
  scope_threads = threads;
}
ThreadScope::~ThreadScope() { scope_threads = outer_; }

Range part_of(int64_t extent, int64_t grain, int64_t part, int64_t parts) {
  const int64_t grains = (extent + grain - 1) / grain;
  const auto cut = [&](int64_t position) {
    return std::min(extent,
                    (grains / parts * position + grains % parts * position / parts) * grain);
  };
  return {cut(part), cut(part + 1)};
}

void configure_thread_waiting(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (setenv("GOMP_SPINCOUNT", kSpinCount, 1) != 0) return;
  execv("/proc/self/exe", argv);
}

}  // namespace gradc
