// The training loop: counts, order, ends.
#include "runtime/train.h"

#include "runtime/saved_progress.h"
#include "tests/runtime/mean_model.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
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
    if (!metrics.empty()) spreads.push_back(metrics.at(0).second);
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

/// What a checkpoint holds.
struct Moment {
  NamedTensors state;
  NamedTensors progress;
};

struct Watched : Seen {
  Session* session = nullptr;
  std::vector<Moment> moments;

  bool on_progress(const TrainProgress& progress) override {
    moments.emplace_back();
    session->take_snapshot(moments.back().state);
    add_progress(progress, moments.back().progress);
    return true;
  }
};

bool same_bits(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.name == other.name && one.value.type() == other.value.type() &&
           std::memcmp(one.value.raw(), other.value.raw(),
                       static_cast<size_t>(one.value.size_bytes())) == 0;
  });
}

/// A run of `settings`, and the same from every moment at which it could have been saved.
void check_resumed(const TrainSettings& settings, size_t moments) {
  const Dataset data = counting_data(10);
  const Dataset held_out = counting_data(6);
  const std::atomic<bool> stop = false;
  MeanModel model;
  Session whole(model, 0);
  whole.initialize();
  Watched watched;
  watched.session = &whole;
  const TrainResult expected = train(whole, data, settings, watched, stop, {}, &held_out);
  REQUIRE(watched.moments.size() == moments);
  REQUIRE(expected.metrics.size() == 2);
  CHECK(expected.metrics[1].first == "val_spread");
  for (const Moment& moment : watched.moments) {
    INFO(moment.progress.metadata.at("progress"));
    NamedTensors saved = moment.progress;
    const TrainProgress start = take_progress(saved, "a test");
    CHECK((saved.tensors.empty() && saved.metadata.empty()));
    MeanModel other_model;
    Session resumed(other_model, 0);
    resumed.restore(moment.state);
    Watched rest;
    rest.session = &resumed;
    const TrainResult result = train(resumed, data, settings, rest, stop, start, &held_out);
    CHECK(same_bits(resumed.state(), whole.state()));
    CHECK(result.metrics == expected.metrics);
    NamedTensors after, expected_after;
    add_progress(result.progress, after);
    add_progress(expected.progress, expected_after);
    CHECK(after.metadata == expected_after.metadata);
    CHECK(same_bits(after.tensors, expected_after.tensors));
    CHECK(std::equal(rest.losses.rbegin(), rest.losses.rend(), watched.losses.rbegin()));
    CHECK(static_cast<size_t>(start.epoch) + rest.epochs.size() == watched.epochs.size());
  }
}

TEST_CASE("train: resumed behind any step or epoch, the rest is the same to the bit") {
  check_resumed({.batch = 4, .epochs = 3, .seed = 5}, 12);
}

TEST_CASE("train: a run of some steps is resumed likewise, also behind the last of them") {
  check_resumed({.batch = 4, .steps = 7, .seed = 5}, 9);
  check_resumed({.batch = 4, .steps = 6, .seed = 5}, 8);
}

TEST_CASE("train: what a checkpoint says of its progress is checked") {
  const auto error = [](const std::string& text, const std::string& name = ":sum.s",
                        DType dtype = DType::F64) {
    NamedTensors checkpoint;
    checkpoint.metadata["progress"] = text;
    checkpoint.add(name, Tensor(dtype, {2}));
    try {
      const TrainProgress progress = take_progress(checkpoint, "file");
      CHECK(progress.sums.find("s")->size() == 2);
      CHECK(checkpoint.tensors.empty());
    } catch (const Error& fault) {
      return fault.code();
    }
    return std::string();
  };
  const std::string good =
      R"({"epoch":1,"batch":2,"steps":5,"sums":["s"],"metrics":{"loss":"nan","other":"0x1p+0"}})";
  CHECK(error(good).empty());
  CHECK(error(good, "s") == "E0921");
  CHECK(error(good, ":sum.s", DType::F32) == "E0921");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"epoch\":1", "\"epoch\":-1"},
           {"\"epoch\":1", "\"epoch\":99999999999999999999"},
           {"\"steps\":5,", ""},
           {"[\"s\"]", "[\"s\",\"s\"]"},
           {"[\"s\"]", "[3]"},
           {"[\"s\"]", "{}"},
           {"0x1p+0", "0x1p+0 and more"},
           {"\"nan\"", "[]"},
           {"{", "["}}) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    INFO(bad);
    CHECK(error(bad) == "E0921");
  }
  NamedTensors none;
  CHECK_THROWS_AS(take_progress(none, "file"), Error);
}

TEST_CASE("train: a place behind the end of an epoch is refused") {
  MeanModel model;
  Session session(model, 0);
  session.initialize();
  Seen seen;
  const std::atomic<bool> stop = false;
  TrainProgress start;
  start.batch = 4;
  CHECK_THROWS_AS(train(session, counting_data(30), {.batch = 10}, seen, stop, start), Error);
  start.batch = 3;
  CHECK(train(session, counting_data(30), {.batch = 10}, seen, stop, start).progress.epoch == 1);
}

/// A row that is no number in the step behind `good` good ones of `batch` rows.
struct NanRun {
  MeanModel model;
  Session session{model, 0};
  Seen seen;
  Dataset data;
  std::string error;
  TrainResult result;

  NanRun(int64_t rows, int64_t row, const TrainSettings& settings) : data(counting_data(rows)) {
    data.fields[1].values.set(row, std::numeric_limits<double>::quiet_NaN());
    session.initialize();
    const std::atomic<bool> stop = false;
    try {
      result = train(session, data, settings, seen, stop);
    } catch (const Error& fault) {
      error = fault.what();
    }
  }
};

TEST_CASE("train: a step that gives NaN is undone, however far the last copy of the state is") {
  for (const int64_t row : {0, 1, 15, 16, 17, 100, 299}) {
    INFO(row);
    const TrainSettings settings{.batch = 1, .epochs = 2, .shuffle = false};
    NanRun stopped(300, row, settings);
    CHECK(stopped.error.find(fmt::format("epoch 1, step {} ", row + 1)) != std::string::npos);
    Run good;
    good(300, {.batch = 1, .epochs = 1, .steps = row, .shuffle = false});
    CHECK(same_bits(stopped.session.state(), good.session.state()));
  }
}

TEST_CASE("train: steps that give NaN are left out on request, but not for ever") {
  TrainSettings settings{.batch = 10, .epochs = 2, .shuffle = false, .on_nan = OnNan::Skip};
  NanRun skipped(40, 17, settings);
  CHECK(skipped.error.empty());
  CHECK(skipped.result.progress.steps == 6);
  CHECK(skipped.session.find_state("step")->at(0) == 6);
  CHECK(std::isfinite(skipped.session.find_state("center")->at(0)));
  // The same rows without the second batch.
  Run without;
  without.session.initialize();
  Dataset data = counting_data(40);
  Tensor x(DType::F32, Shape{30});
  Tensor label(DType::U8, Shape{30});
  for (int64_t i = 0; i < 30; ++i) {
    x.set(i, static_cast<double>(i < 10 ? i : i + 10));
    label.set(i, static_cast<double>(i % 10));
  }
  data.fields[0].values = label;
  data.fields[1].values = x;
  settings.on_nan = OnNan::Stop;
  train(without.session, data, settings, without.seen, without.stop);
  CHECK(same_bits(skipped.session.state(), without.session.state()));
  settings = {.batch = 1, .epochs = 300, .shuffle = false, .on_nan = OnNan::Skip};
  const NanRun hopeless(1, 0, settings);
  CHECK(hopeless.error.find("100 steps were left out") != std::string::npos);
  const NanRun vain(1, 0, {.batch = 1, .epochs = 3, .on_nan = OnNan::Skip});
  CHECK(vain.error.find("none of the 3 steps gave numbers") != std::string::npos);
}

}  // namespace
}  // namespace gradc
