// The processor time of a test, which other processes do not lengthen.
#pragma once
#include <ctime>

namespace gradc::testing {

/// Seconds of all threads of this process since the clock was made.
class ProcessorTime {
 public:
  double seconds() const {
    return static_cast<double>(std::clock() - start_) / static_cast<double>(CLOCKS_PER_SEC);
  }

 private:
  std::clock_t start_ = std::clock();
};

}  // namespace gradc::testing
