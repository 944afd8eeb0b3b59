// A program of subcommands: reads its command line, runs one, turns faults into exit codes.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "runtime/commands/flags.h"
#include "runtime/core/error.h"

namespace gradc {

/// What runs after the flags are read.
using Action = std::function<ExitCode()>;

struct Command {
  std::string name;
  std::string summary;
  /// Adds the command's flags and returns its action, which owns what the flags are read into.
  std::function<Action(Flags&)> configure;
};

struct CommandLine {
  std::string name;                   // of the program, in messages
  std::string about;                  // one line
  std::string version;                // the line of --version
  std::span<const Command> commands;  // in the order of `help`
};

/// Returns what main() is to return.
int run_command_line(const CommandLine& line, int argc, char** argv);

}  // namespace gradc
