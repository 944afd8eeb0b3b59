// eval: losses and metrics of trained weights on the test data.
#include <fmt/format.h>

#include "runtime/commands/interrupt.h"
#include "runtime/commands/json_values.h"
#include "runtime/commands/requirement.h"
#include "runtime/commands/run_commands.h"
#include "runtime/commands/start_session.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

struct EvalOptions {
  std::shared_ptr<ModelOpener> opener;
  std::string weights;
  bool on_training_data = false;
  std::vector<Requirement> requirements;
};

ExitCode run_eval(const EvalOptions& options) {
  const RunOptions& run = options.opener->options();
  set_threads(run.threads);
  const std::atomic<bool>& stop = stop_on_signal();
  const std::unique_ptr<RunnableModel> model = options.opener->open();
  const TrainSettings settings = train_settings(model->settings());
  model->prefetch_data();
  Session session(*model, settings.seed);
  start_session(session, *model, options.weights);
  const Dataset& data = options.on_training_data ? model->data().train : model->test_data();
  if (!options.requirements.empty())
    check_requirement_names(options.requirements, metric_names(session));
  NamedTensors tables;
  const NamedValues values = evaluate(session, data, settings.eval_batch, stop, &tables);
  if (stop) return interrupted_exit_code();
  if (run.json) {
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

Action configure_eval(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  auto options = std::make_shared<EvalOptions>();
  options->opener = std::move(opener);
  options->opener->add_flags(flags, true);
  flags.add("--weights", &options->weights, "Trained weights; without: fresh values").as_path();
  flags.add("--train-data", &options->on_training_data, "Evaluate on the training rows");
  add_requirement_flag(flags, options->requirements);
  return [options] { return run_eval(*options); };
}

}  // namespace gradc
