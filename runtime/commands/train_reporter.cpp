// Lines for people, events for programs.
#include "runtime/commands/train_reporter.h"

#include "runtime/commands/json_values.h"
#include "runtime/commands/process_age.h"

namespace gradc {

void TrainReporter::tell(const nlohmann::ordered_json& event) {
  if (options_.json) print_line(event);
  recorder_.log(event);
}

void TrainReporter::on_step(const TrainPosition& position, const NamedValues& losses,
                            const std::function<NamedValues()>& running) {
  if (first_step_seconds_ == 0) first_step_seconds_ = process_age_seconds();
  if (position.batch == 0 && options_.epochs > 1 && progress_.is_terminal())
    progress_.note(fmt::format("Epoch {}/{}", position.epoch + 1, options_.epochs));
  if (options_.log_every > 0 && position.batch % options_.log_every == 0)
    log_step(position, losses);
  if (progress_.is_due())
    progress_.redraw({position.batch + 1, position.batches, position.epoch_seconds, running()});
}

void TrainReporter::log_step(const TrainPosition& position, const NamedValues& losses) {
  if (options_.json || recorder_.has_folder()) {
    nlohmann::ordered_json line = {
        {"event", "batch"}, {"epoch", position.epoch}, {"batch", position.batch}};
    add_values(line, losses);
    tell(line);
  }
  if (options_.json) return;
  std::string text;
  for (const auto& [name, value] : losses)
    text += fmt::format("{}{} at batch {}: {}", text.empty() ? "" : ", ", name, position.batch,
                        short_number(value));
  progress_.note(text);
}

void TrainReporter::on_epoch(const TrainPosition& position, const NamedValues& metrics) {
  progress_.finish_epoch({position.batch + 1, position.batches, position.epoch_seconds, metrics});
  nlohmann::ordered_json line = {{"event", "epoch"}, {"epoch", position.epoch + 1}};
  add_values(line, metrics);
  line["steps"] = position.batch + 1;
  line["last_rows"] = position.rows;
  line["seconds"] = position.epoch_seconds;
  tell(line);
  recorder_.record_epoch(position.epoch + 1, position.batch + 1, metrics, position.epoch_seconds,
                         position.batch + 1 == position.batches);
}

bool TrainReporter::on_progress(const TrainProgress& progress) {
  return recorder_.record(*session_, progress);
}

std::string TrainReporter::locate_nan(Session& session, std::span<const Field> fields,
                                      int64_t rows) {
  return model_.locate_nan(session, fields, rows);
}

void TrainReporter::on_nan(const TrainProgress& progress, const std::string& message) {
  progress_.note("left out: " + message);
  tell({{"event", "nan"},
        {"epoch", progress.epoch},
        {"batch", progress.batch},
        {"message", message}});
}

std::optional<int64_t> TrainReporter::roll_back(Session& session) {
  return recorder_.roll_back(session);
}

}  // namespace gradc
