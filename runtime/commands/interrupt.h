// Ctrl-C and SIGTERM ask the running command to stop after the step under way.
#pragma once
#include <atomic>

#include "runtime/core/error.h"

namespace gradc {

/// Installs the handlers and returns the flag they set. A second signal ends the process at once.
std::atomic<bool>& stop_on_signal();

/// 130 after SIGINT, 143 after SIGTERM.
ExitCode interrupted_exit_code();

}  // namespace gradc
