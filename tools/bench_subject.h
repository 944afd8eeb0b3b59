// A model compiled one way with one batch in memory, and the times of its steps.
#pragma once
#include <chrono>

#include "tools/workspace.h"

namespace gradc {

using BenchClock = std::chrono::steady_clock;
double seconds_since(BenchClock::time_point start);

/// Times of equal events, in seconds.
class Times {
 public:
  void add(double seconds) { seconds_.push_back(seconds); }
  size_t count() const { return seconds_.size(); }
  double median() const { return quantile(0.5); }
  /// The smallest time that a share of all times is not above; 0 where there is none.
  double quantile(double share) const;

 private:
  std::vector<double> seconds_;
};

/// The first batch of a model's training data, at most as large as the settings say.
struct BenchBatch {
  std::vector<Field> fields;
  int64_t rows = 0;
};
BenchBatch first_batch(Workspace& workspace);

class BenchSubject {
 public:
  BenchSubject(const ModelOptions& options, bool unfused);

  Workspace& workspace() { return workspace_; }
  Session& session() { return session_; }
  const Program& program(GraphMode mode, const BenchBatch& batch) {
    return session_.program(mode, batch.rows);
  }
  /// Steps for about so long, at least one, all but the first of short ones counted: that one
  /// brings the data back into the caches.
  void run_block(GraphMode mode, const BenchBatch& batch, double seconds, Times& times);
  /// Parameters, slots, states.
  int64_t state_bytes() const;

 private:
  double step(GraphMode mode, const BenchBatch& batch);

  Workspace workspace_;
  Session session_;
};

}  // namespace gradc
