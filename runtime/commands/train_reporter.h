// What people and logs are told while a model trains.
#pragma once
#include "runtime/commands/progress.h"
#include "runtime/commands/run_recorder.h"
#include "runtime/commands/runnable_model.h"

namespace gradc {

/// Progress on stderr; events as JSON lines on stdout where asked for, and in the log of the run.
class TrainReporter : public TrainEvents {
 public:
  struct Options {
    bool json = false;
    int64_t epochs = 0;
    int64_t log_every = 0;  // 0: never
  };
  /// All outlive the reporter.
  TrainReporter(RunnableModel& model, RunRecorder& recorder, const Options& options)
      : model_(model), recorder_(recorder), options_(options) {}

  /// A line for stdout, if it is to be JSON, and for the log.
  void tell(const nlohmann::ordered_json& event);
  double first_step_seconds() const { return first_step_seconds_; }

  void on_step(const TrainPosition& position, const NamedValues& losses,
               const std::function<NamedValues()>& running) override;
  void on_epoch(const TrainPosition& position, const NamedValues& metrics) override;
  bool on_progress(const TrainProgress& progress) override;
  std::string locate_nan(Session& session, std::span<const Field> fields, int64_t rows) override;
  void on_nan(const TrainProgress& progress, const std::string& message) override;
  std::optional<int64_t> roll_back(Session& session) override;

  /// The session that trains; needed from the first step on.
  void watch(const Session& session) { session_ = &session; }

 private:
  void log_step(const TrainPosition& position, const NamedValues& losses);

  RunnableModel& model_;
  RunRecorder& recorder_;
  const Options options_;
  const Session* session_ = nullptr;
  Progress progress_;
  double first_step_seconds_ = 0;
};

}  // namespace gradc
