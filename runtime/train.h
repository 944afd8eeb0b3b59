// The training loop: epochs over the data, then an evaluation on the test data.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "runtime/data/dataset.h"
#include "runtime/session.h"

namespace gradc {

struct TrainSettings {
  int64_t batch = 32;
  int64_t eval_batch = 32;
  int64_t epochs = 1;
  std::optional<int64_t> steps = std::nullopt;  // instead of epochs: stop after this many updates
  bool shuffle = true;
  bool drop_last = false;
  uint64_t seed = 0;
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
};

struct TrainResult {
  NamedValues metrics;  // of the last epoch
  int64_t steps = 0;
  double seconds = 0;
  double median_step_seconds = 0;
  bool interrupted = false;
};

/// Trains until the settings are met or `stop` becomes true (the step under way is finished).
/// Throws Error (Numeric, E0810) when a loss is not finite, naming epoch and step.
TrainResult train(Session& session, const Dataset& data, const TrainSettings& settings,
                  TrainEvents& events, const std::atomic<bool>& stop);

/// Losses and metrics of one pass over `data` in batches of `batch` and the rest; what is not one
/// number is added to `tables`. Throws Error (Numeric, E0810) when a loss is not finite, naming the
/// batch.
NamedValues evaluate(Session& session, const Dataset& data, int64_t batch,
                     const std::atomic<bool>& stop, NamedTensors* tables = nullptr);

}  // namespace gradc
