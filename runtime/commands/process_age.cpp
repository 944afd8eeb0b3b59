// Reads the start time from /proc, and the processor's clock.
#include "runtime/commands/process_age.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace gradc {
namespace {

double seconds_of(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Boot time at which the process started, as far as main() can tell.
double start_seen_by_main = 0;

}  // namespace

void note_main_start() {
  start_seen_by_main = seconds_of(CLOCK_BOOTTIME) - seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double process_age_seconds() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const size_t after_name = text.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(text.substr(after_name + 1));
  std::string field;
  // Field 22 is the start time in clock ticks since boot, rounded down; the name is field 2.
  for (int i = 3; i <= 22; ++i) fields >> field;
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const double earliest = std::stod(field) * tick;
  const double start = std::clamp(start_seen_by_main, earliest, earliest + tick);
  return seconds_of(CLOCK_BOOTTIME) - start;
}

}  // namespace gradc
