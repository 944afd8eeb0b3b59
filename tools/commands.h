// The subcommands of gradc: one row and one file each.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "runtime/core/error.h"

namespace gradc {

/// What runs after the flags are read.
using Action = std::function<ExitCode()>;

struct Command {
  std::string_view name;
  std::string_view summary;
  /// Adds the command's flags and returns its action, which owns what the flags are read into.
  Action (*configure)(CLI::App&);
};

/// In the order of `gradc help`.
std::span<const Command> all_commands();

Action configure_bench(CLI::App& app);
Action configure_check(CLI::App& app);
Action configure_data(CLI::App& app);
Action configure_docs(CLI::App& app);
Action configure_dump(CLI::App& app);
Action configure_eval(CLI::App& app);
Action configure_explain(CLI::App& app);
Action configure_plot(CLI::App& app);
Action configure_predict(CLI::App& app);
Action configure_run(CLI::App& app);
Action configure_summary(CLI::App& app);
Action configure_train(CLI::App& app);
Action configure_verify(CLI::App& app);

}  // namespace gradc
