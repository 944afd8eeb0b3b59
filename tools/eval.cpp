// gradc eval: losses and metrics of trained weights on the test data.
#include <fmt/format.h>

#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/json_values.h"
#include "tools/requirement.h"
#include "tools/start_session.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct EvalOptions {
  ModelOptions model;
  std::string weights;
  bool on_training_data = false;
  std::vector<Requirement> requirements;
};

ExitCode run_eval(const EvalOptions& options) {
  set_threads(options.model.threads);
  const std::atomic<bool>& stop = stop_on_signal();
  Workspace workspace(options.model);
  const TrainSettings settings = workspace.train_settings();
  workspace.prefetch_data();
  Session session(workspace, settings.seed);
  start_session(session, workspace, options.weights);
  const Dataset& data = options.on_training_data ? workspace.data().train : workspace.test_data();
  if (!options.requirements.empty())
    check_requirement_names(options.requirements, metric_names(session));
  NamedTensors tables;
  const NamedValues values = evaluate(session, data, settings.eval_batch, stop, &tables);
  if (stop) return interrupted_exit_code();
  if (options.model.json) {
    nlohmann::ordered_json line = {{"event", "end"}};
    add_values(line, values);
    add_tables(line, tables);
    line["rows"] = data.rows();
    print_line(line);
  } else {
    for (const auto& [name, value] : values) fmt::print("{}: {:.6f}\n", name, value);
    for (const NamedTensor& table : tables.tensors)
      fmt::print("{}", table_text(table.name, table.value));
  }
  return check_requirements(options.requirements, values);
}

}  // namespace

Action configure_eval(Flags& flags) {
  auto options = std::make_shared<EvalOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  flags.add("--weights", &options->weights, "Trained weights; without: fresh values");
  flags.add("--train-data", &options->on_training_data, "Evaluate on the training rows");
  add_requirement_flag(flags, options->requirements);
  return [options] { return run_eval(*options); };
}

}  // namespace gradc
