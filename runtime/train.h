// The training loop: epochs over the data.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "runtime/data/dataset.h"
#include "runtime/session.h"

namespace gradc {

/// What becomes of a step whose loss, or whose new parameters, slots or states, are NaN or
/// infinite.
enum class OnNan : uint8_t {
  Stop,      // the run ends with an error
  Skip,      // the step is undone and its batch left out
  Rollback,  // the same, and then TrainEvents::roll_back
};

struct TrainSettings {
  int64_t batch = 32;
  int64_t eval_batch = 32;
  int64_t epochs = 1;
  std::optional<int64_t> steps = std::nullopt;  // instead of epochs: stop after this many updates
  bool shuffle = true;
  bool drop_last = false;
  uint64_t seed = 0;
  OnNan on_nan = OnNan::Stop;
  int loader_threads = 1;  // that assemble batches beside the step: no influence on results
};

/// With the session's state all that the rest of a run depends on.
struct TrainProgress {
  int64_t epoch = 0;    // from 0
  int64_t batch = 0;    // of this epoch, from 0: the next one
  int64_t steps = 0;    // updates so far
  PassValues sums;      // of this epoch's batches so far
  NamedValues metrics;  // of the last whole epoch
};

/// Where a run stands when a callback is called.
struct TrainPosition {
  int64_t epoch = 0;         // from 0
  int64_t batch = 0;         // of this epoch, from 0: the batch just done
  int64_t batches = 0;       // of this epoch
  int64_t rows = 0;          // of the batch just done
  double step_seconds = 0;   // of the step just done, without loading
  double epoch_seconds = 0;  // since the epoch began
};

class TrainEvents {
 public:
  virtual ~TrainEvents() = default;
  /// After each step. `losses` are the batch's own losses; `running` gives the metrics of the epoch
  /// so far (it runs the metrics program: call it only when the values are shown).
  virtual void on_step(const TrainPosition&, const NamedValues& /*losses*/,
                       const std::function<NamedValues()>& /*running*/) {}
  virtual void on_epoch(const TrainPosition&, const NamedValues& /*metrics*/) {}
  /// After each step and each epoch, when all of the run is in `progress` and the session. False
  /// ends the run here.
  virtual bool on_progress(const TrainProgress&) { return true; }

  /// The session is as it was before a step on these rows that did not give numbers: where they
  /// were lost, for a message; empty where nothing can be said. Leaves the state as it is.
  virtual std::string locate_nan(Session&, std::span<const Field> /*fields*/, int64_t /*rows*/) {
    return {};
  }
  /// The step at this place was undone, and the run goes on behind its batch.
  virtual void on_nan(const TrainProgress&, const std::string& /*message*/) {}
  /// For OnNan::Rollback: gives the session its last good state, and returns the updates that has
  /// seen; nothing, and the session as it is, where there is none.
  virtual std::optional<int64_t> roll_back(Session&) { return std::nullopt; }
};

struct TrainResult {
  NamedValues metrics;  // of the last epoch
  TrainProgress progress;
  double seconds = 0;
  double median_step_seconds = 0;  // of the last steps, 4096 at most
  bool interrupted = false;
};

/// Trains from `start` until the settings are met, `events` ends the run or `stop` becomes true
/// (the step under way is finished). With `validation` the metrics of an epoch are followed by
/// those of its rows, named "val_...". Throws Error (Numeric, E0810) that names epoch and step when
/// a loss or a new value is not finite and the settings say Stop, or 100 steps were left out since
/// the run last got further, the state being that before the step; and where a run that skips made
/// no update.
TrainResult train(Session& session, const Dataset& data, const TrainSettings& settings,
                  TrainEvents& events, const std::atomic<bool>& stop, TrainProgress start = {},
                  const Dataset* validation = nullptr);

/// Losses and metrics of one pass over `data` in batches of `batch` and the rest; what is not one
/// number is added to `tables`. Throws Error (Numeric, E0810) when a loss is not finite, naming the
/// batch, where `on_nan` is Stop; else the values are what they are.
NamedValues evaluate(Session& session, const Dataset& data, int64_t batch,
                     const std::atomic<bool>& stop, NamedTensors* tables = nullptr,
                     OnNan on_nan = OnNan::Stop);

}  // namespace gradc
