// The gradc command: reads the command line, runs one subcommand, turns faults into exit codes.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <system_error>

#include "frontend/did_you_mean.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/process_age.h"
#include "tools/reported_error.h"
#include "tools/version.h"

namespace gradc {
namespace {

int report(ExitCode code, const std::string& message) {
  fmt::print(stderr, "gradc: {}\n", message);
  return static_cast<int>(code);
}

/// "; did you mean `train`?", or nothing.
std::string command_hint(const std::string& written) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  const std::optional<std::string> nearest = did_you_mean(written, names);
  return nearest ? fmt::format("; did you mean `{}`?", *nearest) : "";
}

int unknown_command(const std::string& written) {
  return report(ExitCode::Usage, fmt::format("no command `{}`{} (`gradc help` lists them)", written,
                                             command_hint(written)));
}

int usage_error(const CLI::App& app, const CLI::ParseError& fault) {
  if (fault.get_exit_code() == 0) return app.exit(fault);  // --help, --version
  fmt::print(stderr, "gradc: {}\nRun `gradc help` for the commands and their flags.\n",
             fault.what());
  return static_cast<int>(ExitCode::Usage);
}

/// Null where there is none of that name.
const CLI::App* find_subcommand(const CLI::App& app, const std::string& name) {
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (sub->get_name() == name) return sub;
  return nullptr;
}

int print_help(const CLI::App& app, int argc, char** argv) {
  const CLI::App* topic = argc > 2 ? find_subcommand(app, argv[2]) : &app;
  if (topic == nullptr) return unknown_command(argv[2]);
  fmt::print("{}", topic->help());
  return static_cast<int>(ExitCode::Done);
}

int run(int argc, char** argv) {
  CLI::App app("Compiles a model described in text and trains it on the CPU", "gradc");
  app.set_version_flag("--version", [] { return version_text(); });
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every command");
  Action action;
  for (const Command& command : all_commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    Flags flags(*sub);
    sub->parse_complete_callback(
        [&action, configured = command.configure(flags)] { action = configured; });
  }
  app.add_subcommand("help", "Print this help, or that of a command: gradc help train")
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
int flushed(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  return report(ExitCode::InputOutput, "cannot write to stdout");
}

int guarded_run(int argc, char** argv) {
  try {
    return flushed(run(argc, argv));
  } catch (const ReportedError& fault) {
    return static_cast<int>(fault.exit_code());
  } catch (const Error& fault) {
    const std::string code = fault.code().empty() ? "" : fmt::format("error[{}] ", fault.code());
    return report(fault.exit_code(), code + fault.what());
  } catch (const std::system_error& fault) {
    return report(ExitCode::InputOutput, fault.what());
  } catch (const InternalError& fault) {
    return report(ExitCode::Bug, fmt::format("internal error (a bug of gradc): {}", fault.what()));
  } catch (const std::bad_alloc&) {
    return report(ExitCode::InputOutput, "error[E0802] out of memory");
  } catch (const std::exception& fault) {
    return report(ExitCode::Bug, fmt::format("unexpected: {}", fault.what()));
  }
}

}  // namespace
}  // namespace gradc

int main(int argc, char** argv) {
  gradc::configure_thread_waiting(argv);
  gradc::note_main_start();
  return gradc::guarded_run(argc, argv);
}
