// gradc check: errors and warnings of a model, without running it.
#include <fmt/core.h>

#include "tools/commands.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

ExitCode check(const ModelOptions& options) {
  Workspace workspace(options);
  if (!options.data.empty()) workspace.description();
  const int64_t rows = workspace.settings().integer("batch");
  for (GraphMode mode : {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate, GraphMode::Predict,
                         GraphMode::Metrics})
    if (workspace.holds(mode, rows) && (mode != GraphMode::Train || workspace.has_optimizer()) &&
        (mode != GraphMode::Predict || workspace.has_outputs(rows)))
      workspace.graph(mode, rows, Stage::Grad);
  if (!options.json) fmt::print("{}: no errors\n", options.model);
  return ExitCode::Done;
}

}  // namespace

Action configure_check(Flags& flags) {
  auto options = std::make_shared<ModelOptions>();
  add_model_flags(flags, *options);
  add_data_flags(flags, *options);
  return [options] { return check(*options); };
}

}  // namespace gradc
