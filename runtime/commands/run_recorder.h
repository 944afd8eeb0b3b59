// What a training run leaves behind, and when it ends by a rule of its own.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "runtime/commands/checkpoint_writer.h"
#include "runtime/commands/flags.h"
#include "runtime/commands/run_folder.h"
#include "runtime/train.h"

namespace gradc {

/// The flags of a run.
struct RunRules {
  std::string folder;
  bool resumes = false;
  std::optional<int64_t> save_steps;   // --save-every 500
  std::optional<double> save_seconds;  // --save-every 10m; neither: each epoch
  int64_t keep = 3;                    // 0: all
  std::string best;                    // NAME, NAME:min or NAME:max
  std::optional<int64_t> early_stop;   // epochs
  std::optional<double> time_limit;    // seconds
  bool rolls_back = false;             // --on-nan rollback
};

void add_run_flags(Flags& flags, RunRules& rules);

/// The metric that checkpoints and early stopping go by.
struct BestMetric {
  std::string name;
  bool is_least = true;

  /// "val_loss:min"
  std::string text() const { return name + (is_least ? ":min" : ":max"); }
};

/// One for a run. What a run does is the same with a folder and without.
class RunRecorder {
 public:
  /// `description` is compared with that of the run that is resumed: Error (Usage) where they
  /// differ. Opens and locks the folder.
  RunRecorder(const RunRules& rules, std::optional<BestMetric> best,
              const nlohmann::ordered_json& description);

  /// Gives the session the state of the newest checkpoint, and returns the progress it was made
  /// at; the beginning where there is none, or nothing is resumed.
  TrainProgress resume(Session& session);

  /// A line of the log.
  void log(const nlohmann::ordered_json& event);
  /// A row of the table of epochs; if the epoch is whole, `metrics` may have the best value so far.
  void record_epoch(int64_t epoch, int64_t steps, const NamedValues& metrics, double seconds,
                    bool is_whole);
  /// Saves where it is due. False where the run is to end: see stopped_by().
  bool record(const Session& session, const TrainProgress& progress);
  /// Saves what a rollback before the first checkpoint goes to; on the disk when it returns.
  void start(const Session& session, const TrainProgress& progress);
  /// The last save; returns when it is on the disk.
  void finish(const Session& session, const TrainProgress& progress);

  bool has_folder() const { return folder_.has_value(); }
  /// "early-stop", "time-limit" or empty.
  const std::string& stopped_by() const { return stopped_by_; }
  /// The epoch of the best value, from 1; 0 where there is none yet.
  int64_t best_epoch() const { return best_epoch_; }
  /// Gives the session the state of the newest checkpoint that was due, and returns the updates
  /// that has seen; nothing where there is none. The run goes on there: newer checkpoints are
  /// removed.
  std::optional<int64_t> roll_back(Session& session);

 private:
  using Clock = std::chrono::steady_clock;

  /// --early-stop, behind epoch `epoch` (from 1).
  void stop_without_better(int64_t epoch);
  bool is_save_due(const TrainProgress& progress) const;
  void save(const Session& session, const TrainProgress& progress, bool is_due);
  void check_same_run(const nlohmann::ordered_json& description) const;
  std::string best_text() const;
  void restore_best(const std::string& text, const std::string& source);
  /// Takes out of the logs what the run will do again.
  void rewind_logs(const TrainProgress& progress);

  RunRules rules_;
  std::optional<BestMetric> best_;
  std::optional<RunFolder> folder_;
  std::optional<LogFile> log_;
  std::optional<LogFile> table_;
  CheckpointWriter writer_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point saved_at_ = Clock::now();
  int64_t saved_steps_ = -1;
  std::string last_due_;  // the path of what a rollback goes to
  int64_t seen_epoch_ = 0;
  std::optional<double> best_value_;
  int64_t best_epoch_ = 0;
  bool is_best_new_ = false;
  std::string stopped_by_;
};

/// The metric that `rules` name among those a session will give (`names`), else the first loss of
/// `losses`, of the validation rows where there are any. Throws Error (Usage) for a name that is
/// not there.
BestMetric best_metric(const RunRules& rules, const std::vector<std::string>& names,
                       const std::vector<std::string>& losses, bool has_validation);

}  // namespace gradc
