// train: epochs with progress, a test evaluation, a checkpoint.
#include <fmt/format.h>

#include "runtime/atomic_file.h"
#include "runtime/commands/interrupt.h"
#include "runtime/commands/json_values.h"
#include "runtime/commands/process_age.h"
#include "runtime/commands/progress.h"
#include "runtime/commands/requirement.h"
#include "runtime/commands/run_commands.h"
#include "runtime/commands/start_session.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

struct TrainOptions {
  std::shared_ptr<ModelOpener> opener;
  std::string out;
  std::string weights;
  int64_t log_every = 0;
  std::vector<Requirement> requirements;
};

/// Progress on stderr; events as JSON lines on stdout where asked for.
class Reporter : public TrainEvents {
 public:
  Reporter(bool json, int64_t epochs, int64_t log_every)
      : json_(json), epochs_(epochs), log_every_(log_every) {}

  void on_step(const TrainPosition& position, const NamedValues& losses,
               const std::function<NamedValues()>& running) override {
    if (first_step_seconds_ == 0) first_step_seconds_ = process_age_seconds();
    if (position.batch == 0 && epochs_ > 1 && progress_.is_terminal())
      progress_.note(fmt::format("Epoch {}/{}", position.epoch + 1, epochs_));
    if (log_every_ > 0 && position.batch % log_every_ == 0) log(position, losses);
    if (progress_.is_due())
      progress_.redraw({position.batch + 1, position.batches, position.epoch_seconds, running()});
  }

  void on_epoch(const TrainPosition& position, const NamedValues& metrics) override {
    progress_.finish_epoch({position.batch + 1, position.batches, position.epoch_seconds, metrics});
    if (!json_) return;
    nlohmann::ordered_json line = {{"event", "epoch"}, {"epoch", position.epoch + 1}};
    add_values(line, metrics);
    line["steps"] = position.batch + 1;
    line["last_rows"] = position.rows;
    line["seconds"] = position.epoch_seconds;
    print_line(line);
  }

  double first_step_seconds() const { return first_step_seconds_; }

 private:
  void log(const TrainPosition& position, const NamedValues& losses) {
    if (json_) {
      nlohmann::ordered_json line = {
          {"event", "batch"}, {"epoch", position.epoch}, {"batch", position.batch}};
      add_values(line, losses);
      print_line(line);
      return;
    }
    std::string text;
    for (const auto& [name, value] : losses)
      text += fmt::format("{}{} at batch {}: {}", text.empty() ? "" : ", ", name, position.batch,
                          short_number(value));
    progress_.note(text);
  }

  bool json_;
  int64_t epochs_;
  int64_t log_every_;
  Progress progress_;
  double first_step_seconds_ = 0;
};

NamedValues with_prefix(const NamedValues& values, const std::string& prefix) {
  NamedValues result;
  for (const auto& [name, value] : values) result.emplace_back(prefix + name, value);
  return result;
}

void print_start(RunnableModel& model, const TrainSettings& settings) {
  print_line({{"event", "start"},
              {"model", model.name()},
              {"target", model.target()},
              {"threads", threads()},
              {"deterministic", model.is_deterministic()},
              {"seed", settings.seed},
              {"rows", model.description().train_rows}});
}

void print_end(bool json, const NamedValues& results, const NamedTensors& tables,
               const TrainResult& trained, const Reporter& reporter, const RunnableModel& model) {
  if (json) {
    nlohmann::ordered_json line = {{"event", "end"}};
    add_values(line, results);
    add_tables(line, tables, "test_");
    line["steps"] = trained.steps;
    line["seconds"] = trained.seconds;
    line["step_ms"] = trained.median_step_seconds * 1e3;
    line["first_step_ms"] = reporter.first_step_seconds() * 1e3;
    line["compile_ms"] = model.compile_seconds() * 1e3;
    line["interrupted"] = trained.interrupted;
    print_line(line);
    return;
  }
  std::string text;
  for (const auto& [name, value] : results)
    text += fmt::format("{}{}: {}", text.empty() ? "" : " - ", name, short_number(value));
  fmt::print("{}\n", text);
  for (const NamedTensor& table : tables.tensors)
    fmt::print("{}", table_text("test_" + table.name, table.value));
}

std::vector<std::string> result_names(Session& session, RunnableModel& model) {
  std::vector<std::string> names = metric_names(session);
  const size_t count = names.size();
  if (model.has_test_data())
    for (size_t i = 0; i < count; ++i) names.push_back("test_" + names[i]);
  return names;
}

ExitCode run_train(const TrainOptions& options) {
  const RunOptions& run = options.opener->options();
  set_threads(run.threads);
  if (!options.out.empty()) check_writable(options.out);
  const std::atomic<bool>& stop = stop_on_signal();
  const std::unique_ptr<RunnableModel> model = options.opener->open();
  const TrainSettings settings = train_settings(model->settings());
  model->prefetch_data(RunnableModel::Rows::AsRead);
  if (run.json) print_start(*model, settings);

  const int64_t first_rows = std::min(settings.batch, model->description().train_rows);
  model->prefetch_program(GraphMode::Train, first_rows);
  Session session(*model, settings.seed);
  start_session(session, *model, options.weights);
  if (!options.requirements.empty())
    check_requirement_names(options.requirements, result_names(session, *model));
  session.program(GraphMode::Train, first_rows);
  const Dataset& data = model->data().train;
  Reporter reporter(run.json, settings.epochs, options.log_every);
  TrainResult trained = train(session, data, settings, reporter, stop);
  if (!options.out.empty()) session.save(options.out);
  NamedValues results = trained.metrics;
  NamedTensors test_tables;
  if (!trained.interrupted && model->has_test_data()) {
    const NamedValues test =
        evaluate(session, model->test_data(), settings.eval_batch, stop, &test_tables);
    const NamedValues named = with_prefix(test, "test_");
    // Values of a part of the test rows would pass for those of all.
    trained.interrupted = stop;
    if (!stop) results.insert(results.end(), named.begin(), named.end());
  }
  print_end(run.json, results, test_tables, trained, reporter, *model);
  if (trained.interrupted) return interrupted_exit_code();
  return check_requirements(options.requirements, results);
}

}  // namespace

Action configure_train(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  auto options = std::make_shared<TrainOptions>();
  options->opener = std::move(opener);
  options->opener->add_flags(flags, true);
  flags.add("--epochs", &options->opener->options().epochs, "Passes over the data")
      .in_range(0, int64_t{1} << 40);
  flags.add("--out", &options->out, "Write parameters and optimizer state to this file");
  flags.add("--weights", &options->weights, "Start from this file instead of fresh values");
  flags.add("--log-every", &options->log_every, "Report the loss of every Nth batch")
      .in_range(1, int64_t{1} << 40);
  add_requirement_flag(flags, options->requirements);
  return [options] { return run_train(*options); };
}

}  // namespace gradc
