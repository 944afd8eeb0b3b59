// Runs steps and keeps their times.
#include "tools/bench_subject.h"

#include <algorithm>
#include <cmath>

#include "runtime/data/batches.h"

namespace gradc {
namespace {

/// Longer steps bring more data into the caches than these keep from one block to the next.
constexpr double kShortStep = 0.01;

ModelOptions with_fusion(ModelOptions options, bool unfused) {
  options.unfused = unfused;
  // It stores what fusion never stores, and is only there to compare with.
  if (unfused) options.memory_limit = 0;
  return options;
}

}  // namespace

double seconds_since(BenchClock::time_point start) {
  return std::chrono::duration<double>(BenchClock::now() - start).count();
}

double Times::quantile(double share) const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  const auto last = static_cast<double>(sorted.size() - 1);
  const auto place = sorted.begin() + static_cast<int64_t>(std::floor(share * last + 0.5));
  std::nth_element(sorted.begin(), place, sorted.end());
  return *place;
}

BenchBatch first_batch(Workspace& workspace) {
  const Dataset& data = workspace.data().train;
  const int64_t size = std::min(workspace.train_settings().batch, data.rows());
  const Batch first = Batches(data, {.size = size, .shuffle = false}).read(0);
  BenchBatch batch{{}, first.rows};
  for (size_t i = 0; i < data.fields.size(); ++i)
    batch.fields.push_back({data.fields[i].name, first.values[i]});
  return batch;
}

BenchSubject::BenchSubject(const ModelOptions& options, bool unfused)
    : workspace_(with_fusion(options, unfused)), session_(workspace_, 0) {
  session_.initialize();
}

double BenchSubject::step(GraphMode mode, const BenchBatch& batch) {
  const BenchClock::time_point start = BenchClock::now();
  session_.execute(mode, batch.fields, batch.rows);
  return seconds_since(start);
}

void BenchSubject::run_block(GraphMode mode, const BenchBatch& batch, double seconds,
                             Times& times) {
  const BenchClock::time_point start = BenchClock::now();
  const double first = step(mode, batch);
  if (first > kShortStep) times.add(first);
  while (seconds_since(start) < seconds || first <= kShortStep) {
    times.add(step(mode, batch));
    if (seconds_since(start) >= seconds) break;
  }
}

int64_t BenchSubject::state_bytes() const {
  int64_t bytes = 0;
  for (const NamedTensor& entry : session_.state()) bytes += entry.value.size_bytes();
  return bytes;
}

}  // namespace gradc
