// The thread team: how many threads, how work is cut, how idle threads wait.
#pragma once
#include <cstdint>

namespace gradc {

/// Sets the number of threads for everything (kernels and oneDNN); 0 means all cores. May be called
/// between runs; results may differ in the last bits for another number.
void set_threads(int threads);
/// At least 1.
int threads();
/// While it lives, threads() is `threads` in the calling thread (0: all cores), so that callers of
/// different models do not disturb each other.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int outer_;
};
/// The cores this process may use.
int available_cores();

/// Half-open.
struct Range {
  int64_t begin;
  int64_t end;
};

/// Part `part` of `parts` of [0, extent): cut at multiples of `grain` into parts that differ by at
/// most one grain. Depends on the arguments only; empty where there are fewer grains than parts.
Range part_of(int64_t extent, int64_t grain, int64_t part, int64_t parts);

/// To be called first in main. libgomp's threads spin for milliseconds when they have nothing to
/// do, which starves other processes, and it reads its settings before main: so this executes the
/// program again, once, with GOMP_SPINCOUNT set (about 25 microseconds). Does nothing where the
/// user has set OMP_WAIT_POLICY or GOMP_SPINCOUNT, or where executing fails.
void configure_thread_waiting(char** argv);

}  // namespace gradc
