// train: epochs with progress, a test evaluation, a checkpoint.
#include <fmt/format.h>

#include "runtime/atomic_file.h"
#include "runtime/commands/command_words.h"
#include "runtime/commands/interrupt.h"
#include "runtime/commands/json_values.h"
#include "runtime/commands/requirement.h"
#include "runtime/commands/run_commands.h"
#include "runtime/commands/start_session.h"
#include "runtime/commands/train_reporter.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

struct TrainOptions {
  std::shared_ptr<ModelOpener> opener;
  std::string out;
  std::string weights;
  int64_t log_every = 0;
  double validation = 0;  // share of the training rows
  std::string on_nan = "stop";
  int loader_threads = 1;
  RunRules rules;
  std::vector<Requirement> requirements;
};

NamedValues with_prefix(const NamedValues& values, const std::string& prefix) {
  NamedValues result;
  for (const auto& [name, value] : values) result.emplace_back(prefix + name, value);
  return result;
}

nlohmann::ordered_json start_event(RunnableModel& model, const TrainSettings& settings) {
  return {{"event", "start"},
          {"model", model.name()},
          {"target", model.target()},
          {"threads", threads()},
          {"deterministic", model.is_deterministic()},
          {"seed", settings.seed},
          {"rows", model.description().train_rows}};
}

/// What run.json says.
nlohmann::ordered_json describe_run(RunnableModel& model, const TrainOptions& options,
                                    const std::optional<BestMetric>& best, int64_t rows) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const auto& [name, value] : model.settings().entries())
    std::visit([&, &key = name](const auto& typed) { settings[key] = typed; }, value);
  return {{"command", command_words()},
          {"compiler", model.compiler()},
          {"target", model.target()},
          {"model", model.name()},
          {"threads", threads()},
          {"deterministic", model.is_deterministic()},
          {"step", model.step_hash(rows)},
          {"weights", options.weights},
          {"val_split", options.validation},
          {"best", best ? nlohmann::ordered_json(best->text()) : nlohmann::ordered_json()},
          {"settings", std::move(settings)}};
}

void print_end(const NamedValues& results, const NamedTensors& tables) {
  std::string text;
  for (const auto& [name, value] : results)
    text += fmt::format("{}{}: {}", text.empty() ? "" : " - ", name, short_number(value));
  fmt::print("{}\n", text);
  for (const NamedTensor& table : tables.tensors)
    fmt::print("{}", table_text("test_" + table.name, table.value));
}

nlohmann::ordered_json end_event(const NamedValues& results, const NamedTensors& tables,
                                 const TrainResult& trained, const RunRecorder& recorder) {
  nlohmann::ordered_json line = {{"event", "end"}};
  add_values(line, results);
  add_tables(line, tables, "test_");
  line["steps"] = trained.progress.steps;
  line["seconds"] = trained.seconds;
  line["step_ms"] = trained.median_step_seconds * 1e3;
  if (recorder.best_epoch() > 0) line["best_epoch"] = recorder.best_epoch();
  if (!recorder.stopped_by().empty()) line["stopped"] = recorder.stopped_by();
  return line;
}

std::vector<std::string> with_names_of_validation(std::vector<std::string> names,
                                                  bool has_validation) {
  const size_t count = names.size();
  for (size_t i = 0; has_validation && i < count; ++i) names.push_back("val_" + names[i]);
  return names;
}

std::vector<std::string> result_names(Session& session, RunnableModel& model) {
  std::vector<std::string> names = metric_names(session);
  const size_t count = names.size();
  names = with_names_of_validation(std::move(names), model.has_validation());
  if (model.has_test_data())
    for (size_t i = 0; i < count; ++i) names.push_back("test_" + names[i]);
  return names;
}

OnNan parse_on_nan(const std::string& text) {
  return text == "skip" ? OnNan::Skip : text == "rollback" ? OnNan::Rollback : OnNan::Stop;
}

/// One training command, from the data to the last line.
class Training {
 public:
  explicit Training(const TrainOptions& options)
      : options_(options),
        run_(options.opener->options()),
        stop_(stop_on_signal()),
        model_(options.opener->open()) {
    model_->hold_out(options.validation);
    settings_ = train_settings(model_->settings());
    settings_.on_nan = parse_on_nan(options.on_nan);
    settings_.loader_threads = options.loader_threads;
  }

  ExitCode run();

 private:
  Session& prepare_session();
  /// Nothing where no rule needs one: the names cost the compilation of the metrics.
  std::optional<BestMetric> find_best() {
    const bool has_validation = model_->has_validation();
    const RunRules& rules = options_.rules;
    if (rules.best.empty() && !rules.early_stop && !has_validation) return std::nullopt;
    std::vector<std::string> losses;
    for (const ProgramOutput& output : session_->program(GraphMode::Train, first_rows_).outputs)
      if (output.kind == OutputKind::Loss) losses.push_back(output.name);
    return best_metric(rules, with_names_of_validation(metric_names(*session_), has_validation),
                       losses, has_validation);
  }
  NamedValues test(NamedTensors& tables, bool& is_interrupted);

  const TrainOptions& options_;
  const RunOptions& run_;
  const std::atomic<bool>& stop_;
  const std::unique_ptr<RunnableModel> model_;
  TrainSettings settings_;
  int64_t first_rows_ = 0;
  std::optional<Session> session_;
};

/// Programs and data are made at the same time; the session is ready when its first step can run.
Session& Training::prepare_session() {
  model_->prefetch_data(RunnableModel::Rows::AsRead);
  first_rows_ = std::min(settings_.batch, model_->description().train_rows);
  const int64_t rows = model_->description().train_rows;
  for (const int64_t count : row_counts(rows, settings_.batch, settings_.drop_last))
    model_->check_rows(GraphMode::Train, count);
  model_->prefetch_program(GraphMode::Train, first_rows_);
  session_.emplace(*model_, settings_.seed);
  start_session(*session_, *model_, options_.weights);
  if (!options_.requirements.empty())
    check_requirement_names(options_.requirements, result_names(*session_, *model_));
  return *session_;
}

NamedValues Training::test(NamedTensors& tables, bool& is_interrupted) {
  if (is_interrupted || !model_->has_test_data()) return {};
  const NamedValues values =
      evaluate(*session_, model_->test_data(), settings_.eval_batch, stop_, &tables);
  is_interrupted = stop_;
  if (!is_interrupted) return with_prefix(values, "test_");
  // What a part of the test rows gives would pass for that of all.
  tables = {};
  return {};
}

ExitCode Training::run() {
  const bool needs_recorder_first = !options_.rules.folder.empty();
  if (run_.json && !needs_recorder_first) print_line(start_event(*model_, settings_));
  Session& session = prepare_session();
  const std::optional<BestMetric> best = find_best();
  const nlohmann::ordered_json description =
      options_.rules.folder.empty() ? nlohmann::ordered_json()
                                    : describe_run(*model_, options_, best, first_rows_);
  RunRecorder recorder(options_.rules, best, description);
  TrainReporter reporter(*model_, recorder, {run_.json, settings_.epochs, options_.log_every});
  reporter.watch(session);
  TrainProgress progress = recorder.resume(session);
  if (needs_recorder_first) reporter.tell(start_event(*model_, settings_));
  recorder.start(session, progress);
  TrainResult trained;
  if (recorder.stopped_by().empty()) {
    trained = train(session, model_->data().train, settings_, reporter, stop_, std::move(progress),
                    model_->validation_data());
  } else {
    trained.metrics = progress.metrics;
    trained.progress = std::move(progress);
  }
  recorder.finish(session, trained.progress);
  if (!options_.out.empty()) session.save(options_.out);
  NamedTensors tables;
  NamedValues results = trained.metrics;
  const NamedValues tested = test(tables, trained.interrupted);
  results.insert(results.end(), tested.begin(), tested.end());

  nlohmann::ordered_json end = end_event(results, tables, trained, recorder);
  end["first_step_ms"] = reporter.first_step_seconds() * 1e3;
  end["compile_ms"] = model_->compile_seconds() * 1e3;
  end["interrupted"] = trained.interrupted;
  reporter.tell(end);
  if (!run_.json) print_end(results, tables);
  if (trained.interrupted) return interrupted_exit_code();
  return check_requirements(options_.requirements, results);
}

ExitCode run_train(const TrainOptions& options) {
  set_threads(options.opener->options().threads);
  if (options.rules.rolls_back && options.rules.folder.empty())
    throw Error(ExitCode::Usage, "", "--on-nan rollback goes to checkpoints: give it a --run DIR");
  if (!options.out.empty()) check_writable(options.out);
  return Training(options).run();
}

}  // namespace

Action configure_train(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  auto options = std::make_shared<TrainOptions>();
  options->opener = std::move(opener);
  options->opener->add_flags(flags, true);
  flags.add("--epochs", &options->opener->options().epochs, "Passes over the data")
      .in_range(0, int64_t{1} << 40);
  flags.add("--out", &options->out, "Write parameters and optimizer state to this file").as_path();
  flags.add("--weights", &options->weights, "Start from this file instead of fresh values")
      .as_path();
  flags.add("--log-every", &options->log_every, "Report the loss of every Nth batch")
      .in_range(1, int64_t{1} << 40);
  flags
      .add("--val-split", &options->validation,
           "Share of the training rows that each epoch is validated on")
      .in_real_range(0, 1);
  flags
      .add("--on-nan", &options->on_nan,
           "When a step gives NaN or infinity: stop, skip its batch, or rollback to a checkpoint")
      .one_of({"stop", "skip", "rollback"});
  flags
      .add("--loader-threads", &options->loader_threads,
           "Threads that assemble shuffled batches beside the step; 0: none")
      .in_range(0, 64);
  add_run_flags(flags, options->rules);
  add_requirement_flag(flags, options->requirements);
  return [options] {
    options->rules.rolls_back = options->on_nan == "rollback";
    return run_train(*options);
  };
}

}  // namespace gradc
