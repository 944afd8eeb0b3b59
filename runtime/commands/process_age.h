// Time since the process was started.
#pragma once

namespace gradc {

/// To be called first in main(): the processor time used until then tells how long loading took.
void note_main_start();

/// Seconds since the kernel started this process, its loading included. The kernel tells the start
/// to 10 ms; within these it is the time of note_main_start() less the processor time used before,
/// which is exact where nothing had to be waited for.
double process_age_seconds();

}  // namespace gradc
