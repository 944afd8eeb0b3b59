// The subcommands of gradc: one row and one file each.
#pragma once
#include "runtime/commands/command_line.h"

namespace gradc {

/// In the order of `gradc help`.
std::span<const Command> all_commands();

Action configure_bench(Flags& flags);

Action configure_build(Flags& flags);
Action configure_check(Flags& flags);
Action configure_data(Flags& flags);
Action configure_docs(Flags& flags);
Action configure_dump(Flags& flags);
Action configure_explain(Flags& flags);
Action configure_plot(Flags& flags);
Action configure_run(Flags& flags);
Action configure_verify(Flags& flags);
Action configure_weights(Flags& flags);

}  // namespace gradc
