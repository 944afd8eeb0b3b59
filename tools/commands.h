// The subcommands of gradc: one row and one file each.
#pragma once
#include <functional>
#include <span>
#include <string_view>

#include "runtime/core/error.h"
#include "tools/flags.h"

namespace gradc {

/// What runs after the flags are read.
using Action = std::function<ExitCode()>;

struct Command {
  std::string_view name;
  std::string_view summary;
  /// Adds the command's flags and returns its action, which owns what the flags are read into.
  Action (*configure)(Flags&);
};

/// In the order of `gradc help`.
std::span<const Command> all_commands();

Action configure_bench(Flags& flags);
Action configure_check(Flags& flags);
Action configure_data(Flags& flags);
Action configure_docs(Flags& flags);
Action configure_dump(Flags& flags);
Action configure_eval(Flags& flags);
Action configure_explain(Flags& flags);
Action configure_plot(Flags& flags);
Action configure_predict(Flags& flags);
Action configure_run(Flags& flags);
Action configure_summary(Flags& flags);
Action configure_train(Flags& flags);
Action configure_verify(Flags& flags);

}  // namespace gradc
