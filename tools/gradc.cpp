// The gradc command: reads the command line, runs one subcommand, turns faults into exit codes.
#include <fmt/core.h>

#include <new>

#include "frontend/did_you_mean.h"
#include "runtime/threads.h"
#include "tools/commands.h"
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

int usage_error(const CLI::App& app, const CLI::ParseError& fault, int argc, char** argv) {
  if (fault.get_exit_code() == 0) return app.exit(fault);  // --help, --version
  std::string message = fault.what();
  if (argc > 1 && argv[1][0] != '-') message += command_hint(argv[1]);
  fmt::print(stderr, "gradc: {}\nRun `gradc help` for the commands and their flags.\n", message);
  return static_cast<int>(ExitCode::Usage);
}

int run(int argc, char** argv) {
  CLI::App app("gradc: compiles a model described in text and trains it on the CPU");
  app.set_version_flag("--version", [] { return version_text(); });
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every command");
  Action action;
  for (const Command& command : all_commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->parse_complete_callback(
        [&action, configured = command.configure(*sub)] { action = configured; });
  }
  std::string topic;
  CLI::App* help = app.add_subcommand("help", "Print this help, or that of a command");
  help->add_option("command", topic, "The command to explain");
  try {
    app.parse(argc, argv);
    if (help->parsed()) {
      fmt::print("{}", (topic.empty() ? app : *app.get_subcommand(topic)).help());
      return static_cast<int>(ExitCode::Done);
    }
  } catch (const CLI::OptionNotFound&) {
    return report(ExitCode::Usage, fmt::format("no command `{}`{}", topic, command_hint(topic)));
  } catch (const CLI::ParseError& fault) {
    return usage_error(app, fault, argc, argv);
  }
  return static_cast<int>(action());
}

int guarded_run(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const ReportedError& fault) {
    return static_cast<int>(fault.exit_code());
  } catch (const Error& fault) {
    const std::string code = fault.code().empty() ? "" : fmt::format("error[{}] ", fault.code());
    return report(fault.exit_code(), code + fault.what());
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
  return gradc::guarded_run(argc, argv);
}
