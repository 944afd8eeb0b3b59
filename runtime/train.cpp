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

/// A pass over the data: the batches in turn, as fields. A model that reads no data has one batch.
class Pass {
 public:
  Pass(const Dataset& dataset, const BatchOptions& options, int64_t epoch) : rows_(options.size) {
    for (const Field& field : dataset.fields) fields_.push_back({field.name, {}});
    if (fields_.empty()) return;
    Batches batches(dataset, options, epoch);
    count_ = batches.count();
    loader_.emplace(std::move(batches));
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
  bool is_over_ = false;
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

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The losses of one batch; throws where one is not finite.
NamedValues read_losses(const Program& program, std::span<const Tensor> outputs,
                        const std::function<std::string()>& place) {
  NamedValues losses;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (program.outputs[i].kind != OutputKind::Loss) continue;
    const double loss = outputs[i].at(0);
    if (!std::isfinite(loss))
      throw Error(ExitCode::Numeric, "E0810",
                  fmt::format("`{}` is {} in {}", program.outputs[i].name, loss, place()));
    losses.emplace_back(program.outputs[i].name, loss);
  }
  return losses;
}

class Trainer {
 public:
  Trainer(Session& session, const Dataset& data, const TrainSettings& settings, TrainEvents& events,
          const std::atomic<bool>& stop)
      : session_(session), settings_(settings), events_(events), stop_(stop) {
    const Program& program = checked_program(session, GraphMode::Train, data, settings.batch);
    data_ = select_fields(program, data);
    running_ = [this] { return session_.metrics(sums_); };
  }

  TrainResult run();

 private:
  bool is_finished() const {
    return settings_.steps ? result_.steps >= *settings_.steps : epoch_ >= settings_.epochs;
  }
  void run_epoch();
  void run_step(const Pass& pass);

  Session& session_;
  const TrainSettings& settings_;
  TrainEvents& events_;
  const std::atomic<bool>& stop_;
  Dataset data_;
  TrainResult result_;
  PassValues sums_;
  std::function<NamedValues()> running_;
  TrainPosition position_;
  Stopwatch epoch_time_;
  std::vector<double> step_seconds_;
  int64_t epoch_ = 0;
};

void Trainer::run_step(const Pass& pass) {
  // Compiling the program of a new row count is not part of the step.
  const Program& program = session_.program(GraphMode::Train, pass.rows());
  const Stopwatch step_time;
  const auto outputs = session_.execute(GraphMode::Train, pass.fields(), pass.rows());
  position_.step_seconds = step_time.seconds();
  position_.epoch_seconds = epoch_time_.seconds();
  position_.rows = pass.rows();
  step_seconds_.push_back(position_.step_seconds);
  ++result_.steps;
  const NamedValues losses = read_losses(program, outputs, [this] {
    return fmt::format("epoch {}, step {} (both counted from 1)", epoch_ + 1, position_.batch + 1);
  });
  sums_.add(program, outputs);
  events_.on_step(position_, losses, running_);
}

void Trainer::run_epoch() {
  const BatchOptions options{settings_.batch, settings_.shuffle, settings_.seed,
                             settings_.drop_last ? LastBatch::Drop : LastBatch::Keep};
  epoch_time_ = Stopwatch();
  sums_.reset();
  Pass pass(data_, options, epoch_);
  position_ = {};
  position_.epoch = epoch_;
  position_.batches = pass.count();
  for (position_.batch = 0; pass.next(); ++position_.batch) {
    run_step(pass);
    result_.interrupted = stop_;
    if (result_.interrupted || (settings_.steps && is_finished())) break;
  }
  position_.batch = std::min(position_.batch, pass.count() - 1);
  position_.epoch_seconds = epoch_time_.seconds();
  result_.metrics = session_.metrics(sums_);
  ++epoch_;
  if (!result_.interrupted) events_.on_epoch(position_, result_.metrics);
}

TrainResult Trainer::run() {
  const Stopwatch time;
  result_.interrupted = stop_;
  while (!result_.interrupted && !is_finished()) run_epoch();
  result_.seconds = time.seconds();
  result_.median_step_seconds = median(std::move(step_seconds_));
  return std::move(result_);
}

}  // namespace

TrainResult train(Session& session, const Dataset& data, const TrainSettings& settings,
                  TrainEvents& events, const std::atomic<bool>& stop) {
  return Trainer(session, data, settings, events, stop).run();
}

NamedValues evaluate(Session& session, const Dataset& data, int64_t batch,
                     const std::atomic<bool>& stop, NamedTensors* tables) {
  const Program& first = checked_program(session, GraphMode::Evaluate, data, batch);
  const BatchOptions options{.size = batch, .shuffle = false};
  Pass pass(select_fields(first, data), options, 0);
  PassValues sums;
  for (int64_t index = 1; !stop && pass.next(); ++index)
    session.execute_parts(
        GraphMode::Evaluate, pass.fields(), pass.rows(),
        [&](const Program& program, std::span<const Tensor> outputs, int64_t, int64_t) {
          read_losses(program, outputs,
                      [index] { return fmt::format("batch {} (evaluation)", index); });
          sums.add(program, outputs);
        });
  return sums.is_empty() ? NamedValues() : session.metrics(sums, tables);
}

}  // namespace gradc
