// Epochs, batches, and what is told about them.
#include "runtime/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "runtime/data/batches.h"

namespace gradc {

namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The fields of `dataset` that are inputs of the program: the others need not be assembled.
Dataset select_fields(const Program& program, const Dataset& dataset) {
  Dataset selected{dataset.name, {}};
  for (const ProgramInput& input : program.inputs) {
    if (input.kind != InputKind::Data) continue;
    const Field* field = dataset.find(input.name);
    CHECK(field != nullptr, "field {} is not there", input.name);
    selected.fields.push_back(*field);
  }
  return selected;
}

/// A pass over the data from batch `first` on: the batches in turn, as fields. A model that reads
/// no data has one batch.
class Pass {
 public:
  Pass(const Dataset& dataset, const BatchOptions& options, int64_t epoch, int64_t first = 0,
       int loader_threads = 1)
      : rows_(options.size), is_over_(first > 0) {
    for (const Field& field : dataset.fields) fields_.push_back({field.name, {}});
    if (fields_.empty()) return;
    Batches batches(dataset, options, epoch);
    count_ = batches.count();
    rows_ = batches.rows(count_ - 1);  // where nothing is left of the pass
    loader_.emplace(std::move(batches), std::min(first, count_), loader_threads);
  }

  int64_t count() const { return count_; }
  int64_t rows() const { return rows_; }
  std::span<const Field> fields() const { return fields_; }

  /// False after the last batch.
  bool next() {
    if (!loader_) return !std::exchange(is_over_, true);
    std::optional<Batch> batch = loader_->next();
    if (!batch) return false;
    rows_ = batch->rows;
    for (size_t i = 0; i < fields_.size(); ++i) fields_[i].values = std::move(batch->values[i]);
    return true;
  }

 private:
  std::vector<Field> fields_;
  int64_t rows_;
  int64_t count_ = 1;
  bool is_over_;
  std::optional<BatchLoader> loader_;
};

/// The program for the first batch, after checking that the data fits it.
const Program& checked_program(Session& session, GraphMode mode, const Dataset& data,
                               int64_t batch) {
  CHECK(batch >= 1, "a batch of {}", batch);
  const int64_t rows = data.rows() > 0 ? std::min(batch, data.rows()) : batch;
  const Program& program = session.program(mode, session.parts(mode, rows).front());
  check_data(program, data);
  return program;
}

/// The times of the last steps.
class StepTimes {
 public:
  void add(double seconds) {
    if (seconds_.size() < kMost)
      seconds_.push_back(seconds);
    else
      seconds_[oldest_++ % kMost] = seconds;
  }

  /// 0 without any.
  double median() const {
    if (seconds_.empty()) return 0;
    std::vector<double> sorted = seconds_;
    const auto middle = sorted.begin() + static_cast<int64_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }

 private:
  static constexpr size_t kMost = 4096;

  std::vector<double> seconds_;
  size_t oldest_ = 0;
};

/// Throws where an epoch that was begun cannot be gone on with.
void check_sums(const Program& program, const TrainProgress& progress) {
  if (progress.sums.is_empty()) return;
  if (!progress.sums.fits(program))
    throw Error(ExitCode::ModelOrData, "E0921",
                fmt::format("the run was saved within epoch {}, when the model had other metrics: "
                            "they cannot be taken further",
                            progress.epoch + 1));
}

/// The losses of one batch. `nan` becomes the message of the first that is not finite.
NamedValues read_losses(const Program& program, std::span<const Tensor> outputs, std::string& nan) {
  NamedValues losses;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (program.outputs[i].kind != OutputKind::Loss) continue;
    const double loss = outputs[i].at(0);
    if (!std::isfinite(loss) && nan.empty())
      nan = fmt::format("`{}` is {}", program.outputs[i].name, loss);
    losses.emplace_back(program.outputs[i].name, loss);
  }
  return losses;
}

/// A copy of the state from time to time, so that a step can be undone: the steps since then are
/// run again, which gives the same bits.
class UndoPoint {
 public:
  int64_t epoch = 0, batch = 0;  // what comes next
  NamedTensors state;            // its memory is used again and again

  bool is_due() const { return age_ >= most_steps_; }
  void note_step(double seconds) {
    ++age_;
    step_seconds_ += (seconds - step_seconds_) / static_cast<double>(age_);
  }
  void take(const Session& session, const TrainProgress& progress) {
    const Stopwatch time;
    epoch = progress.epoch;
    batch = progress.batch;
    session.take_snapshot(state);
    const double steps = time.seconds() / (kShareOfTime * std::max(step_seconds_, 1e-6));
    most_steps_ = static_cast<int64_t>(std::clamp(steps, 16.0, 4096.0));
    age_ = 0;
  }

 private:
  /// Copies may take this share of the time of the steps.
  static constexpr double kShareOfTime = 0.002;

  int64_t age_ = 0;  // steps since it was taken
  int64_t most_steps_ = 16;
  double step_seconds_ = 0;
};

class Trainer {
 public:
  Trainer(Session& session, const Dataset& data, const TrainSettings& settings, TrainEvents& events,
          const std::atomic<bool>& stop, TrainProgress start, const Dataset* validation)
      : session_(session),
        settings_(settings),
        events_(events),
        stop_(stop),
        validation_(validation),
        options_{settings.batch, settings.shuffle, settings.seed,
                 settings.drop_last ? LastBatch::Drop : LastBatch::Keep},
        progress_(std::move(start)) {
    const Program& program = checked_program(session, GraphMode::Train, data, settings.batch);
    data_ = select_fields(program, data);
    check_sums(program, progress_);
    running_ = [this] { return session_.metrics(progress_.sums); };
  }

  TrainResult run();

 private:
  bool has_all_steps() const { return settings_.steps && progress_.steps >= *settings_.steps; }
  bool is_finished() const {
    return settings_.steps ? has_all_steps() : progress_.epoch >= settings_.epochs;
  }
  bool goes_on() {
    is_ended_ = is_ended_ || !events_.on_progress(progress_);
    result_.interrupted = stop_;
    return !is_ended_ && !result_.interrupted;
  }
  void run_epoch();
  void run_step(const Pass& pass);
  void finish_epoch(int64_t batches);
  void undo_step(const std::string& nan, const Pass& pass);

  Session& session_;
  const TrainSettings& settings_;
  TrainEvents& events_;
  const std::atomic<bool>& stop_;
  const Dataset* validation_;
  const BatchOptions options_;
  Dataset data_;
  TrainResult result_;
  TrainProgress progress_;
  UndoPoint undo_;
  std::function<NamedValues()> running_;
  TrainPosition position_;
  Stopwatch epoch_time_;
  StepTimes step_times_;
  int64_t undone_in_a_row_ = 0;  // since the run last got further
  int64_t most_steps_ = 0;
  bool is_ended_ = false;
};

void Trainer::run_step(const Pass& pass) {
  if (undo_.is_due()) undo_.take(session_, progress_);
  // Compiling the program of a new row count is not part of the step.
  const Program& program = session_.program(GraphMode::Train, pass.rows());
  const Stopwatch step_time;
  const auto outputs = session_.execute(GraphMode::Train, pass.fields(), pass.rows());
  position_.step_seconds = step_time.seconds();
  position_.epoch_seconds = epoch_time_.seconds();
  position_.rows = pass.rows();
  position_.batch = progress_.batch;
  step_times_.add(position_.step_seconds);
  std::string nan;
  const NamedValues losses = read_losses(program, outputs, nan);
  if (nan.empty() && !session_.gave_numbers())
    nan = "a new value of a parameter or slot is not finite";
  if (!nan.empty()) return undo_step(nan, pass);
  // What was undone by a rollback and is done again gets the run no further.
  if (progress_.steps >= most_steps_) undone_in_a_row_ = 0;
  most_steps_ = std::max(most_steps_, progress_.steps + 1);
  undo_.note_step(position_.step_seconds);
  progress_.sums.add(program, outputs);
  ++progress_.steps;
  ++progress_.batch;
  events_.on_step(position_, losses, running_);
}

void Trainer::undo_step(const std::string& nan, const Pass& pass) {
  constexpr int64_t kMostInARow = 100;
  session_.restore(undo_.state);
  for (int64_t epoch = undo_.epoch; epoch <= progress_.epoch; ++epoch) {
    int64_t batch = epoch == undo_.epoch ? undo_.batch : 0;
    Pass again(data_, options_, epoch, batch, settings_.loader_threads);
    const int64_t end = epoch == progress_.epoch ? progress_.batch : again.count();
    for (; batch < end && again.next(); ++batch)
      session_.execute(GraphMode::Train, again.fields(), again.rows());
  }
  const std::string place = events_.locate_nan(session_, pass.fields(), pass.rows());
  const std::string message =
      fmt::format("{} in epoch {}, step {} (both counted from 1){}{}", nan, progress_.epoch + 1,
                  progress_.batch + 1, place.empty() ? "" : "; ", place);
  const bool is_hopeless = ++undone_in_a_row_ >= kMostInARow;
  if (settings_.on_nan == OnNan::Stop || is_hopeless)
    throw Error(ExitCode::Numeric, "E0810",
                is_hopeless ? fmt::format("{}; {} steps were left out, and the run got no further",
                                          message, kMostInARow)
                            : message);
  events_.on_nan(progress_, message);
  if (settings_.on_nan == OnNan::Rollback)
    progress_.steps = events_.roll_back(session_).value_or(progress_.steps);
  ++progress_.batch;
  undo_.take(session_, progress_);
}

void Trainer::run_epoch() {
  epoch_time_ = Stopwatch();
  Pass pass(data_, options_, progress_.epoch, progress_.batch, settings_.loader_threads);
  if (progress_.batch > pass.count())
    throw Error(ExitCode::ModelOrData, "E0921",
                fmt::format("the run was saved behind batch {} of an epoch, which has {} now",
                            progress_.batch, pass.count()));
  position_ = {};
  position_.epoch = progress_.epoch;
  position_.batches = pass.count();
  position_.rows = pass.rows();
  while (!has_all_steps() && pass.next()) {
    run_step(pass);
    if (!goes_on()) break;
  }
  if (!result_.interrupted) finish_epoch(pass.count());
}

/// An epoch may also end with the run, in its middle; it is not over then.
void Trainer::finish_epoch(int64_t batches) {
  position_.batch = std::max<int64_t>(progress_.batch, 1) - 1;
  position_.epoch_seconds = epoch_time_.seconds();
  NamedValues metrics = progress_.sums.is_empty() ? NamedValues() : running_();
  if (validation_ != nullptr)
    for (const auto& [name, value] :
         evaluate(session_, *validation_, settings_.eval_batch, stop_, nullptr, settings_.on_nan))
      metrics.emplace_back("val_" + name, value);
  // Values of a part of the rows would pass for those of all; a resumed run makes them again.
  result_.interrupted = stop_;
  if (result_.interrupted) return;
  events_.on_epoch(position_, metrics);
  result_.metrics = metrics;
  if (progress_.batch < batches) return;
  progress_ = {progress_.epoch + 1, 0, progress_.steps, {}, std::move(metrics)};
  goes_on();
}

TrainResult Trainer::run() {
  const Stopwatch time;
  undo_.take(session_, progress_);
  result_.metrics = progress_.metrics;
  result_.interrupted = stop_;
  // An epoch that was begun is reported, though the run may have been cut off behind its last step.
  bool is_begun = progress_.batch > 0 && (settings_.steps || progress_.epoch < settings_.epochs);
  while (!result_.interrupted && !is_ended_ && (is_begun || !is_finished())) {
    run_epoch();
    is_begun = false;
  }
  if (result_.interrupted && !progress_.sums.is_empty()) result_.metrics = running_();
  if (settings_.on_nan == OnNan::Skip && undone_in_a_row_ > 0 && progress_.steps == 0 &&
      is_finished())
    throw Error(ExitCode::Numeric, "E0810",
                fmt::format("none of the {} steps gave numbers", undone_in_a_row_));
  result_.seconds = time.seconds();
  result_.median_step_seconds = step_times_.median();
  result_.progress = std::move(progress_);
  return std::move(result_);
}

}  // namespace

TrainResult train(Session& session, const Dataset& data, const TrainSettings& settings,
                  TrainEvents& events, const std::atomic<bool>& stop, TrainProgress start,
                  const Dataset* validation) {
  return Trainer(session, data, settings, events, stop, std::move(start), validation).run();
}

NamedValues evaluate(Session& session, const Dataset& data, int64_t batch,
                     const std::atomic<bool>& stop, NamedTensors* tables, OnNan on_nan) {
  const Program& first = checked_program(session, GraphMode::Evaluate, data, batch);
  const BatchOptions options{.size = batch, .shuffle = false};
  Pass pass(select_fields(first, data), options, 0);
  PassValues sums;
  for (int64_t index = 1; !stop && pass.next(); ++index)
    session.execute_parts(
        GraphMode::Evaluate, pass.fields(), pass.rows(),
        [&](const Program& program, std::span<const Tensor> outputs, int64_t, int64_t) {
          std::string nan;
          read_losses(program, outputs, nan);
          if (!nan.empty() && on_nan == OnNan::Stop)
            throw Error(ExitCode::Numeric, "E0810",
                        fmt::format("{} in batch {} (evaluation)", nan, index));
          sums.add(program, outputs);
        });
  return sums.is_empty() ? NamedValues() : session.metrics(sums, tables);
}

}  // namespace gradc
