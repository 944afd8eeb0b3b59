// One OpenMP region over the parts of a range.
#pragma once
#include <omp.h>

#include <atomic>
#include <exception>

#include "runtime/fork_join.h"
#include "runtime/threads.h"

namespace gradc {

/// Calls run(begin, end) for the parts of [0, extent), one for each thread of the team.
template <typename Run>
void run_parallel(int64_t extent, int64_t grain, int team, Run run) {
  before_fork();
#pragma omp parallel num_threads(team)
  {
    after_fork();
    const int present = omp_get_num_threads();
    for (int part = omp_get_thread_num(); part < team; part += present) {
      const Range range = part_of(extent, grain, part, team);
      if (range.begin < range.end) run(range.begin, range.end);
    }
    before_join();
  }
  after_join();
}

/// Calls run(i) for each i below count, whichever thread is free; rethrows what one of them throws.
template <typename Run>
void run_each(int64_t count, int team, Run run) {
  std::atomic<bool> has_failed = false;
  std::exception_ptr failure;
  before_fork();
#pragma omp parallel num_threads(team)
  {
    after_fork();
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < count; ++i) {
      try {
        run(i);
      } catch (...) {
        if (!has_failed.exchange(true)) failure = std::current_exception();
      }
    }
    before_join();
  }
  after_join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gradc
