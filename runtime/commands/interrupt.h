// Ctrl-C, SIGTERM and a terminal that is gone ask the running command to stop after the step under
// way.
#pragma once
#include <atomic>

#include "runtime/core/error.h"

namespace gradc {

/// Installs the handlers, but for signals that are ignored, and returns the flag they set. A second
/// signal ends the process at once.
std::atomic<bool>& stop_on_signal();

/// 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP.
ExitCode interrupted_exit_code();

}  // namespace gradc
