// What an internal error leaves behind: a folder with all that is needed to see it again.
#pragma once
#include <string>

#include "runtime/commands/command_line.h"

namespace gradc {

/// From here on a crash of the process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) leaves a report
/// and ends it with 70, and what cannot be caught as an exception ends it as the exception would:
/// memory that ran out in a thread or in a library with 5. `argv` must stay.
void watch_for_crashes(const CommandLine& line, int argc, char** argv);

/// While it lives, a command runs: whatever library ends the process by exit() ends it with 5.
class RunningCommand {
 public:
  RunningCommand();
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
};

/// Writes ./gradc-crash-XXXXXX/ with `report.txt` (message, version, command line, stage), the
/// model or graph file as it was read, and the graph that was being compiled. Returns its path;
/// empty where it cannot be written.
std::string write_crash_report(const std::string& message);

}  // namespace gradc
