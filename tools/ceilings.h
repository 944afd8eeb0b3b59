// What this machine can do at most, measured: the scale for the times of kernels and steps.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "codegen/kernel_cache.h"
#include "runtime/program.h"

namespace gradc {

struct Ceilings {
  /// Memory traffic of loops whose data fits into `fits_bytes`; each level is larger and slower.
  struct Level {
    std::string name;  // "L2", "L3", "memory"
    double fits_bytes = 0;
    double bytes_per_s = 0;
  };
  int threads = 1;
  double flop_per_s = 0;  // multiply-adds count two
  std::vector<Level> levels;

  /// Where another measurement on the same threads found more, it was this one that was disturbed.
  void raise_to(const Ceilings& other);
  /// Of the smallest level that holds so much.
  double bandwidth(double bytes) const;
  /// The least time for so much work: whichever of computing and moving takes longer.
  double seconds(const Work& work) const;
};

/// On the threads that `set_threads` has set. Takes about a tenth of a second.
Ceilings measure_ceilings(const CacheOptions& cache);

}  // namespace gradc
