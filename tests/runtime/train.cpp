// The training loop: counts, order, ends.
#include "runtime/train.h"

#include "tests/runtime/mean_model.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace gradc {
namespace {

struct Seen : TrainEvents {
  std::vector<TrainPosition> steps;
  std::vector<double> losses;
  std::vector<TrainPosition> epochs;
  std::vector<double> spreads;
  double last_running = 0;
  std::atomic<bool>* stop = nullptr;
  size_t stop_after = 0;

  void on_step(const TrainPosition& position, const NamedValues& batch_losses,
               const std::function<NamedValues()>& running) override {
    steps.push_back(position);
    losses.push_back(batch_losses.at(0).second);
    last_running = running().at(0).second;
    if (stop != nullptr && steps.size() == stop_after) *stop = true;
  }
  void on_epoch(const TrainPosition& position, const NamedValues& metrics) override {
    epochs.push_back(position);
    spreads.push_back(metrics.at(0).second);
  }
};

struct Run {
  MeanModel model;
  Session session{model, 0};
  Seen seen;
  std::atomic<bool> stop = false;
  TrainResult result;

  void operator()(int64_t rows, const TrainSettings& settings) {
    session.initialize();
    result = train(session, counting_data(rows), settings, seen, stop);
  }
};

TEST_CASE("train: every row once an epoch, the last batch is the rest") {
  Run run;
  TrainSettings settings{.batch = 128, .epochs = 2, .shuffle = true};
  run(1120, settings);
  CHECK(run.result.progress.steps == 18);
  REQUIRE(run.seen.steps.size() == 18);
  for (size_t i = 0; i < 18; ++i) {
    const TrainPosition& position = run.seen.steps[i];
    CHECK(position.epoch == static_cast<int64_t>(i / 9));
    CHECK(position.batch == static_cast<int64_t>(i % 9));
    CHECK(position.batches == 9);
    CHECK(position.rows == (i % 9 == 8 ? 96 : 128));
    CHECK(position.step_seconds > 0);
  }
  REQUIRE(run.seen.epochs.size() == 2);
  CHECK(run.seen.epochs[1].epoch == 1);
  CHECK(run.seen.epochs[1].batch == 8);
  CHECK(run.seen.last_running == run.seen.spreads[1]);
  CHECK(run.result.metrics.at(0).second == run.seen.spreads[1]);
  CHECK(run.session.find_state("step")->at(0) == 18);
  CHECK(run.result.median_step_seconds > 0);
  CHECK_FALSE(run.result.interrupted);
}

TEST_CASE("train: without shuffling the rows come in file order") {
  Run run;
  run(10, {.batch = 4, .epochs = 1, .shuffle = false});
  // The center starts at 0: the mean square of 0, 1, 2, 3.
  CHECK(run.seen.losses.at(0) == Approx(14.0 / 4));
  CHECK(run.seen.steps.at(2).rows == 2);
  Run other;
  other(10, {.batch = 4, .epochs = 1, .shuffle = false});
  CHECK(other.seen.losses == run.seen.losses);
}

TEST_CASE("train: the shuffle depends on the seed") {
  Run first, same, other;
  first(200, {.batch = 16, .epochs = 2, .seed = 1});
  same(200, {.batch = 16, .epochs = 2, .seed = 1});
  other(200, {.batch = 16, .epochs = 2, .seed = 2});
  CHECK(first.seen.losses == same.seen.losses);
  CHECK(first.seen.losses != other.seen.losses);
}

TEST_CASE("train: the rest is dropped on request, few rows make a small batch") {
  Run run;
  run(10, {.batch = 4, .epochs = 3, .drop_last = true});
  CHECK(run.result.progress.steps == 6);
  for (const TrainPosition& position : run.seen.steps) CHECK(position.rows == 4);
  Run small;
  small(3, {.batch = 128, .epochs = 2});
  CHECK(small.result.progress.steps == 2);
  CHECK(small.seen.steps[0].rows == 3);
}

TEST_CASE("train: a number of steps ends in the middle of an epoch") {
  Run run;
  run(10, {.batch = 4, .epochs = 1, .steps = 7});
  CHECK(run.result.progress.steps == 7);
  REQUIRE(run.seen.epochs.size() == 3);
  CHECK(run.seen.epochs[2].batch == 0);
  CHECK(run.seen.epochs[2].batches == 3);
  Run none;
  none(10, {.batch = 4, .epochs = 1, .steps = 0});
  CHECK(none.result.progress.steps == 0);
  CHECK(none.result.metrics.empty());
}

TEST_CASE("train: a stop finishes the step under way") {
  Run run;
  run.seen.stop = &run.stop;
  run.seen.stop_after = 5;
  run(100, {.batch = 10, .epochs = 4});
  CHECK(run.result.interrupted);
  CHECK(run.result.progress.steps == 5);
  CHECK(run.session.find_state("step")->at(0) == 5);
  CHECK(run.seen.epochs.empty());
  CHECK(evaluate(run.session, counting_data(10), 4, run.stop).empty());
}

TEST_CASE("train: a loss that is no number ends the run with epoch and step") {
  MeanModel model;
  Session session(model, 0);
  session.initialize();
  Dataset data = counting_data(30);
  data.fields[1].values.set(17, std::numeric_limits<double>::quiet_NaN());
  Seen seen;
  const std::atomic<bool> stop = false;
  try {
    train(session, data, {.batch = 10, .epochs = 1, .shuffle = false}, seen, stop);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::Numeric);
    CHECK(error.code() == "E0810");
    CHECK(std::string(error.what()).find("epoch 1, step 2") != std::string::npos);
  }
}

TEST_CASE("train: it learns, and evaluation is exact whatever the batch") {
  Run run;
  run(101, {.batch = 101, .epochs = 200});
  CHECK(run.session.find_state("center")->at(0) == Approx(50).margin(1e-3));
  const Dataset test = counting_data(101);
  for (int64_t batch : {1, 7, 50, 101, 1000}) {
    const NamedValues values = evaluate(run.session, test, batch, run.stop);
    CHECK(values.at(0).second == Approx(850).margin(1e-2));
  }
}

TEST_CASE("train: data is checked before the first step") {
  MeanModel model;
  Session session(model, 0);
  session.initialize();
  Dataset data = counting_data(30);
  data.fields[0].values.set(29, 200);
  Seen seen;
  const std::atomic<bool> stop = false;
  CHECK_THROWS_AS(train(session, data, {.batch = 10}, seen, stop), Error);
  CHECK(seen.steps.empty());
  CHECK(session.find_state("step")->at(0) == 0);
}

}  // namespace
}  // namespace gradc
