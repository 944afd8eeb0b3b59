// The frame of the gradc command and of every program it builds.
#include "runtime/commands/command_line.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/commands/crash_report.h"
#include "runtime/commands/reported_error.h"
#include "runtime/core/did_you_mean.h"
#include "runtime/core/signal_safe.h"

namespace gradc {
namespace {

class Runner {
 public:
  explicit Runner(const CommandLine& line) : line_(line) {}

  int run(int argc, char** argv) const {
    try {
      const RunningCommand running;
      return flushed(run_command(argc, argv));
    } catch (const ReportedError& fault) {
      return static_cast<int>(fault.exit_code());
    } catch (const Error& fault) {
      const std::string code = fault.code().empty() ? "" : fmt::format("error[{}] ", fault.code());
      return report(fault.exit_code(), code + fault.what());
    } catch (const std::system_error& fault) {
      return report(ExitCode::InputOutput, fault.what());
    } catch (const InternalError& fault) {
      return report_bug("internal error (a bug of gradc)", fault.what());
    } catch (const std::bad_alloc&) {
      return report(ExitCode::InputOutput, std::string(kOutOfMemory));
    } catch (const std::exception& fault) {
      return report_bug("unexpected", fault.what());
    }
  }

 private:
  int report(ExitCode code, const std::string& message) const {
    say(fmt::format("{}: {}\n", line_.name, message));
    return static_cast<int>(code);
  }

  int report_bug(const std::string& title, const std::string& message) const {
    const std::string folder = write_crash_report(message);
    const std::string where =
        folder.empty() ? "" : fmt::format("\n  what it was doing is in {}", folder);
    return report(ExitCode::Bug, fmt::format("{}: {}{}", title, message, where));
  }

  int unknown_command(const std::string& written) const {
    std::vector<std::string> names;
    for (const Command& command : line_.commands) names.push_back(command.name);
    const std::optional<std::string> nearest = did_you_mean(written, names);
    const std::string hint = nearest ? fmt::format("; did you mean `{}`?", *nearest) : "";
    return report(ExitCode::Usage, fmt::format("no command `{}`{} (`{} help` lists them)", written,
                                               hint, line_.name));
  }

  int usage_error(const CLI::App& app, const CLI::ParseError& fault) const {
    if (fault.get_exit_code() == 0) return app.exit(fault);  // --help, --version
    say(fmt::format("{}: {}\nRun `{} help` for the commands and their flags.\n", line_.name,
                    fault.what(), line_.name));
    return static_cast<int>(ExitCode::Usage);
  }

  /// Null where there is none of that name.
  static const CLI::App* find_subcommand(const CLI::App& app, const std::string& name) {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      if (sub->get_name() == name) return sub;
    return nullptr;
  }

  int print_help(const CLI::App& app, int argc, char** argv) const {
    const CLI::App* topic = argc > 2 ? find_subcommand(app, argv[2]) : &app;
    if (topic == nullptr) return unknown_command(argv[2]);
    fmt::print("{}", topic->help());
    return static_cast<int>(ExitCode::Done);
  }

  int run_command(int argc, char** argv) const {
    CLI::App app(line_.about, line_.name);
    app.set_version_flag("--version", line_.version);
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of every command");
    Action action;
    for (const Command& command : line_.commands) {
      CLI::App* sub = app.add_subcommand(command.name, command.summary);
      Flags flags(*sub);
      sub->parse_complete_callback(
          [&action, configured = command.configure(flags)] { action = configured; });
    }
    app.add_subcommand("help", fmt::format("Print this help, or that of a command: {} help {}",
                                           line_.name, line_.commands.front().name))
        ->allow_extras();
    // Before parsing: a parsed app prints the help of what it parsed.
    if (argc > 1 && std::string_view(argv[1]) == "help") return print_help(app, argc, argv);
    if (argc > 1 && argv[1][0] != '-' && find_subcommand(app, argv[1]) == nullptr)
      return unknown_command(argv[1]);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
      return usage_error(app, fault);
    }
    return static_cast<int>(action());
  }

  /// What was printed must have arrived: a full disk behind stdout is an error.
  int flushed(int exit_code) const {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
    return report(ExitCode::InputOutput, "cannot write to stdout");
  }

  const CommandLine& line_;
};

/// A file that is opened must not become what messages are written into. What is given in the place
/// of a closed one cannot be read or written, as that could not.
void keep_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace

int run_command_line(const CommandLine& line, int argc, char** argv) {
  keep_standard_files();
  watch_for_crashes(line, argc, argv);
  return Runner(line).run(argc, argv);
}

}  // namespace gradc
