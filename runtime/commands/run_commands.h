// The commands that run a model, compiled ahead of time or not: a file each.
#pragma once
#include <memory>

#include "runtime/commands/command_line.h"
#include "runtime/commands/run_options.h"

namespace gradc {

Action configure_train(Flags& flags, std::shared_ptr<ModelOpener> opener);
Action configure_eval(Flags& flags, std::shared_ptr<ModelOpener> opener);
Action configure_predict(Flags& flags, std::shared_ptr<ModelOpener> opener);
Action configure_summary(Flags& flags, std::shared_ptr<ModelOpener> opener);

}  // namespace gradc
