// Time since the process was started.
#pragma once

namespace gradc {

/// Seconds since the kernel started this process, its loading included; to 10 ms, the kernel's
/// resolution.
double process_age_seconds();

}  // namespace gradc
