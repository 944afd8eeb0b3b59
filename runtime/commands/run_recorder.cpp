// Rules, saves, and the state of both in a checkpoint.
#include "runtime/commands/run_recorder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "runtime/commands/duration.h"
#include "runtime/commands/json_values.h"
#include "runtime/core/error.h"
#include "runtime/core/signal_safe.h"
#include "runtime/data/data_source.h"
#include "runtime/saved_progress.h"

namespace gradc {
namespace {

constexpr const char* kBest = "best";
constexpr const char* kEarlyStop = "early-stop";

[[noreturn]] void wrong_flag(const std::string& message) {
  throw Error(ExitCode::Usage, "", message);
}

void read_save_every(RunRules& rules, const std::string& text) {
  int64_t steps = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (fault == std::errc() && end == text.data() + text.size() && steps >= 1) {
    rules.save_steps = steps;
    return;
  }
  rules.save_seconds = parse_duration(text);
  if (!rules.save_seconds)
    wrong_flag(
        fmt::format("--save-every wants a number of steps (500) or a time (10m), got `{}`", text));
}

/// Takes a ":min" or ":max" off the end of a name.
std::optional<bool> take_direction(std::string& name) {
  for (const bool is_least : {true, false}) {
    const std::string_view suffix = is_least ? ":min" : ":max";
    if (!name.ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    return is_least;
  }
  return std::nullopt;
}

/// Is what a line of the log tells of part of the run up to `progress`?
bool is_past(const nlohmann::ordered_json& event, const TrainProgress& progress) {
  if (!event.is_object() || !event.contains("event")) return false;
  const auto number = [&](const char* name) {
    return event.contains(name) && event[name].is_number_integer() ? event[name].get<int64_t>() : 0;
  };
  if (event["event"] == "end") return false;
  if (event["event"] == "epoch") return number("epoch") <= progress.epoch;
  if (event["event"] == "batch" || event["event"] == "nan")
    return std::pair(number("epoch"), number("batch")) < std::pair(progress.epoch, progress.batch);
  return true;
}

/// The keys of either.
std::vector<std::string> names_of(const nlohmann::ordered_json& one,
                                  const nlohmann::ordered_json& other) {
  std::vector<std::string> names;
  for (const auto& [name, value] : one.items()) names.push_back(name);
  for (const auto& [name, value] : other.items())
    if (!one.contains(name)) names.push_back(name);
  return names;
}

/// What must stay as it is of a setting that names data.
std::string data_options(const nlohmann::ordered_json& setting) {
  return setting.is_string() ? without_path(setting.get<std::string>()) : "";
}

/// Quoted where it has to be (RFC 4180).
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string(2, c) : std::string(1, c);
  return quoted + "\"";
}

bool is_better(const BestMetric& metric, double value, std::optional<double> best) {
  if (std::isnan(value)) return false;
  return !best || (metric.is_least ? value < *best : value > *best);
}

}  // namespace

void add_run_flags(Flags& flags, RunRules& rules) {
  const Flag run =
      flags.add("--run", &rules.folder, "Keep checkpoints, logs and the command in this folder")
          .as_path();
  flags.add("--resume", &rules.resumes, "Go on from the newest checkpoint of --run").needs(run);
  flags
      .add_reader(
          "--save-every", [&rules](const std::string& text) { read_save_every(rules, text); },
          "Steps (500) or time (10m) between checkpoints; else each epoch")
      .needs(run);
  flags.add("--keep", &rules.keep, "Checkpoints that are kept; 0 keeps all")
      .in_range(0, int64_t{1} << 30)
      .needs(run);
  flags.add("--best", &rules.best,
            "Metric (NAME, NAME:min, NAME:max) that --early-stop and best.safetensors go by");
  flags
      .add("--early-stop", &rules.early_stop,
           "Stop after this many epochs without a better value of --best")
      .in_range(1, int64_t{1} << 30);
  flags.add_reader(
      "--time-limit",
      [&rules](const std::string& text) {
        rules.time_limit = parse_duration(text);
        if (!rules.time_limit)
          wrong_flag(
              fmt::format("--time-limit wants a time such as 90s, 10m or 2h, "
                          "got `{}`",
                          text));
      },
      "Stop after this time (90s, 10m, 2h)");
}

BestMetric best_metric(const RunRules& rules, const std::vector<std::string>& names,
                       const std::vector<std::string>& losses, bool has_validation) {
  std::string name = rules.best;
  const std::optional<bool> direction = take_direction(name);
  if (name.empty()) {
    if (losses.empty()) wrong_flag("the model has no loss: --best names what --early-stop goes by");
    name = (has_validation ? "val_" : "") + losses.front();
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    std::string known;
    for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
    wrong_flag(fmt::format("--best names `{}`; an epoch gives {}", name, known));
  }
  const std::string plain = name.starts_with("val_") ? name.substr(4) : name;
  const bool is_loss = std::find(losses.begin(), losses.end(), plain) != losses.end();
  return {name, direction.value_or(is_loss)};
}

RunRecorder::RunRecorder(const RunRules& rules, std::optional<BestMetric> best,
                         const nlohmann::ordered_json& description)
    : rules_(rules),
      best_(std::move(best)),
      writer_([this] { folder_->tidy(rules_.keep, last_due_); }) {
  if (rules_.folder.empty()) return;
  folder_.emplace(rules_.folder);
  folder_->tidy(0, "");
  check_same_run(description);
  folder_->describe(description);
  log_.emplace(folder_->file("log.jsonl"));
  table_.emplace(folder_->file("metrics.csv"));
}

/// A run may be resumed to go on for longer, with other threads or another folder of data, but
/// otherwise as it began.
void RunRecorder::check_same_run(const nlohmann::ordered_json& description) const {
  const std::optional<nlohmann::ordered_json> before = folder_->description();
  if (!before && !rules_.resumes && folder_->has_checkpoints())
    wrong_flag(
        fmt::format("`{}` holds checkpoints of another run; give this one a folder of its own",
                    folder_->path()));
  if (!before) return;
  if (!rules_.resumes)
    wrong_flag(fmt::format("`{}` holds a run already; --resume goes on with it", folder_->path()));
  std::string differences;
  const auto compare = [&](const std::string& name, const nlohmann::ordered_json& old,
                           const nlohmann::ordered_json& now) {
    const std::string then_text = line_text(old), now_text = line_text(now);
    if (then_text != now_text)
      differences += fmt::format("\n  {}: {} then, {} now", name, then_text, now_text);
  };
  const auto value = [](const nlohmann::ordered_json& json, const std::string& name) {
    return json.contains(name) ? json[name] : nlohmann::ordered_json();
  };
  for (const std::string name : {"model", "val_split", "deterministic", "weights"})
    compare(name, value(*before, name), value(description, name));
  if (value(*before, "best").is_string() && value(description, "best").is_string())
    compare("best", value(*before, "best"), value(description, "best"));
  const nlohmann::ordered_json& now = description["settings"];
  const nlohmann::ordered_json old = value(*before, "settings");
  for (const std::string& name : names_of(old, now)) {
    if (name == "epochs" || name == "steps") continue;
    if (name == "data" || name == "test")
      compare(name, data_options(value(old, name)), data_options(value(now, name)));
    else
      compare(name, value(old, name), value(now, name));
  }
  if (!differences.empty())
    wrong_flag(
        fmt::format("the run in `{}` was started otherwise:{}", folder_->path(), differences));
  if (value(*before, "threads") != description["threads"] && description["deterministic"] != true)
    say(fmt::format(
        "note: the run had {} threads so far and has {} now: the last bits of its results may be "
        "others than without a break\n",
        line_text(value(*before, "threads")), line_text(description["threads"])));
  if (value(*before, "step") != description["step"])
    say("note: the training step is not the one that the run had so far (another model, schedule "
        "or backend)\n");
}

TrainProgress RunRecorder::resume(Session& session) {
  if (!folder_ || !rules_.resumes) return {};
  auto checkpoint = folder_->newest_checkpoint();
  if (!checkpoint) {
    rewind_logs({});
    say(fmt::format("note: `{}` has no checkpoint yet: the run starts from the beginning\n",
                    folder_->path()));
    return {};
  }
  TrainProgress result = take_progress(checkpoint->content, checkpoint->path);
  session.load(checkpoint->content, checkpoint->path);
  restore_best(checkpoint->content.metadata[kBest], checkpoint->path);
  folder_->clear_after(*checkpoint, RunFolder::Newer::Damaged);
  if (rules_.rolls_back)
    if (const auto due = folder_->newest_due_checkpoint()) last_due_ = due->path;
  rewind_logs(result);
  saved_steps_ = result.steps;
  if (best_ && result.batch == 0 && result.epoch > 0) stop_without_better(result.epoch);
  seen_epoch_ = result.epoch;
  say(fmt::format("resumed from {}: epoch {}, step {}\n", checkpoint->path, result.epoch + 1,
                  result.batch + 1));
  return result;
}

void RunRecorder::rewind_logs(const TrainProgress& progress) {
  log_->filter([&](const std::string& line) {
    return is_past(nlohmann::ordered_json::parse(line, nullptr, false), progress);
  });
  table_->filter([&](const std::string& row) {
    int64_t epoch = 0;
    std::from_chars(row.data(), row.data() + row.size(), epoch);
    return progress.epoch > 0 && epoch <= progress.epoch;
  });
}

void RunRecorder::log(const nlohmann::ordered_json& event) {
  if (log_) log_->append(line_text(event) + "\n");
}

void RunRecorder::record_epoch(int64_t epoch, int64_t steps, const NamedValues& metrics,
                               double seconds, bool is_whole) {
  if (table_ && !metrics.empty()) {
    std::string heading = "epoch,steps";
    std::string row = fmt::format("{},{}", epoch, steps);
    for (const auto& [name, value] : metrics) {
      heading += "," + csv_cell(name);
      row += fmt::format(",{}", value);
    }
    if (table_->is_empty()) table_->append(heading + ",seconds\n");
    table_->append(fmt::format("{},{:.3f}\n", row, seconds));
  }
  if (!best_ || !is_whole) return;
  for (const auto& [name, value] : metrics) {
    if (name != best_->name || !is_better(*best_, value, best_value_)) continue;
    best_value_ = value;
    best_epoch_ = epoch;
    is_best_new_ = true;
  }
  stop_without_better(epoch);
}

void RunRecorder::stop_without_better(int64_t epoch) {
  if (rules_.early_stop && epoch - best_epoch_ >= *rules_.early_stop) stopped_by_ = kEarlyStop;
}

bool RunRecorder::is_save_due(const TrainProgress& progress) const {
  if (is_best_new_) return true;
  if (progress.steps == saved_steps_) return false;
  if (rules_.save_steps) return progress.steps % *rules_.save_steps == 0;
  if (rules_.save_seconds)
    return std::chrono::duration<double>(Clock::now() - saved_at_).count() >= *rules_.save_seconds;
  return progress.epoch != seen_epoch_;
}

bool RunRecorder::record(const Session& session, const TrainProgress& progress) {
  if (folder_) {
    writer_.check();
    if (is_save_due(progress)) save(session, progress, true);
  }
  seen_epoch_ = progress.epoch;
  if (rules_.time_limit &&
      std::chrono::duration<double>(Clock::now() - start_).count() >= *rules_.time_limit)
    stopped_by_ = "time-limit";
  return stopped_by_.empty();
}

void RunRecorder::save(const Session& session, const TrainProgress& progress, bool is_due) {
  writer_.wait();
  const std::string path = folder_->checkpoint(progress.steps);
  // The state after as many updates is the same, though bad steps may have come behind it.
  const bool is_target = rules_.rolls_back && (is_due || path == last_due_);
  if (is_target) last_due_ = path;
  std::vector<std::string> paths;
  // First: a run that goes on from the checkpoint takes its best value as written.
  if (is_best_new_) paths.push_back(folder_->best());
  paths.push_back(path);
  is_best_new_ = false;
  NamedTensors additions;
  add_progress(progress, additions);
  additions.metadata[kBest] = best_text();
  if (is_target) additions.metadata[kIsDue] = "yes";
  writer_.start(session, std::move(additions), std::move(paths));
  saved_steps_ = progress.steps;
  saved_at_ = Clock::now();
}

void RunRecorder::start(const Session& session, const TrainProgress& progress) {
  if (!folder_ || !rules_.rolls_back || progress.steps != 0 || saved_steps_ == 0) return;
  save(session, progress, true);
  writer_.wait();
}

void RunRecorder::finish(const Session& session, const TrainProgress& progress) {
  if (!folder_) return;
  save(session, progress, false);
  writer_.wait();
}

std::optional<int64_t> RunRecorder::roll_back(Session& session) {
  if (!folder_) return std::nullopt;
  writer_.wait();
  auto checkpoint = folder_->newest_due_checkpoint();
  if (!checkpoint) checkpoint = folder_->newest_checkpoint();  // the run began without --on-nan
  if (!checkpoint) return std::nullopt;
  const TrainProgress progress = take_progress(checkpoint->content, checkpoint->path);
  session.load(checkpoint->content, checkpoint->path);
  folder_->clear_after(*checkpoint, RunFolder::Newer::Undone);
  saved_steps_ = progress.steps;
  return progress.steps;
}

std::string RunRecorder::best_text() const {
  return best_value_ ? fmt::format("{} in epoch {}", exact_text(*best_value_), best_epoch_) : "";
}

void RunRecorder::restore_best(const std::string& text, const std::string& source) {
  constexpr std::string_view kBetween = " in epoch ";
  if (text.empty()) return;
  const size_t between = std::min(text.find(kBetween), text.size());
  const std::string epoch = text.substr(std::min(text.size(), between + kBetween.size()));
  best_value_ = parse_exact(text.substr(0, between));
  const auto [end, fault] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), best_epoch_);
  if (!best_value_ || fault != std::errc() || end != epoch.data() + epoch.size())
    throw Error(
        ExitCode::ModelOrData, "E0921",
        fmt::format("`{}` is no checkpoint of a run: its best value is `{}`", source, text));
}

}  // namespace gradc
