// Runs that are resumed end as if there had been no break, or say why they cannot.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/tools/interrupted_runs.h"

using namespace gradc;
namespace fs = std::filesystem;

namespace {

ProgramRun train(const std::string& model, const std::string& folder,
                 std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"train", model, "--run", folder, "--json"});
  const ProgramRun run = run_program(flags);
  INFO(run.err);
  return run;
}

std::vector<std::string> with(std::vector<std::string> flags,
                              const std::vector<std::string>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

/// A model of the losses and metrics in `body`, on rows of noise.
std::string write_model(const std::string& name, const std::string& body) {
  return write_temporary(name, "model m(x: f32[batch, 3], label: u8[batch]) {\n" + body +
                                   "}\ntrain m {\n  data = noise(rows = 60)\n  batch = 8\n"
                                   "  epochs = 3\n  optimizer = sgd(0.1)\n}\n");
}

/// The first rows are numbers, the last one is not.
std::string write_bad_end() {
  std::string rows = "x,y\n";
  for (int i = 0; i < 39; ++i) rows += std::to_string(i % 7) + "," + std::to_string(i % 3) + "\n";
  write_temporary("bad_end.csv", rows + "1e38,1e38\n");
  return write_temporary("bad_end.grad", R"(
model line(x: f32[batch], y: f32[batch]) {
  param slope: f32[] = zeros
  loss = mean((slope * x - y) ** 2)
}
train line {
  data      = csv("bad_end.csv")
  batch     = 4
  epochs    = 4
  shuffle   = false
  optimizer = sgd(learning_rate = 0.001)
}
)");
}

}  // namespace

TEST_CASE("a run that stopped early is over when it is resumed") {
  const std::string folder = temporary_path("stopped_early");
  const std::vector<std::string> flags = {"--set=epochs=50", "--early-stop=2",
                                          "--set=optimizer.learning_rate=0.0"};
  const ProgramRun run = train(dropout_model(), folder, flags);
  REQUIRE(run.exit_code == 0);
  REQUIRE(run.last_json().at("stopped") == "early-stop");
  const RunResult result = run_result(folder);
  const ProgramRun again = train(dropout_model(), folder, with(flags, {"--resume"}));
  REQUIRE(again.exit_code == 0);
  CHECK(again.last_json().at("stopped") == "early-stop");
  CHECK(again.last_json().at("steps") == run.last_json().at("steps"));
  CHECK(again.last_json().at("loss") == run.last_json().at("loss"));
  CHECK((run_result(folder) == result));
}

// The loss falls: that of the first batches would be the largest.
TEST_CASE("a part of an epoch is no value that can be the best") {
  const std::vector<std::string> flags = {"--set=epochs=4", "--best=loss:max", "--early-stop=4"};
  const std::string whole = temporary_path("best_whole"), parts = temporary_path("best_parts");
  REQUIRE(train(dropout_model(), whole, flags).exit_code == 0);
  REQUIRE(train(dropout_model(), parts, with(flags, {"--time-limit=0s"})).exit_code == 0);
  for (int i = 0; i < 3; ++i)
    REQUIRE(train(dropout_model(), parts, with(flags, {"--time-limit=0s", "--resume"})).exit_code ==
            0);
  REQUIRE(train(dropout_model(), parts, with(flags, {"--resume"})).exit_code == 0);
  CHECK((run_result(parts) == run_result(whole)));
}

// The last checkpoint that is due has 8 updates; an interruption leaves one of 9 before the bad
// step.
TEST_CASE("a rollback goes where it would have gone without an interruption") {
  const std::string model = write_bad_end();
  const std::vector<std::string> flags = {"--on-nan=rollback", "--save-every=4", "--epochs=3"};
  const std::string whole = temporary_path("back_whole"), parts = temporary_path("back_parts");
  REQUIRE(train(model, whole, flags).exit_code == 0);
  ProgramRun run = train(model, parts, with(flags, {"--time-limit=0s"}));
  for (int i = 0; i < 40; ++i) {
    REQUIRE(run.exit_code == 0);
    run = train(model, parts, with(flags, {"--time-limit=0s", "--resume"}));
  }
  CHECK((run_result(parts) == run_result(whole)));
  CHECK(run_program({"train", model, "--on-nan=rollback"}).exit_code == 2);
}

TEST_CASE("a run that rolls back for ever ends") {
  const ProgramRun run = train(write_bad_end(), temporary_path("back_for_ever"),
                               {"--on-nan=rollback", "--save-every=1000", "--set=steps=100"});
  CHECK(run.exit_code == 4);
  CHECK(run.err.find("100 steps were left out, and the run got no further") != std::string::npos);
}

TEST_CASE("a run is not resumed with other settings, data or weights") {
  const std::string folder = temporary_path("other_settings");
  const std::string model =
      write_model("settings.grad",
                  "  y = dense(x, 4)\n  loss = mean(sparse_categorical_crossentropy(y, label))\n");
  const std::string weights = temporary_path("other.safetensors");
  REQUIRE(run_program({"train", model, "--epochs=1", "--out", weights}).exit_code == 0);
  const std::vector<std::string> flags = {"--set=start=load(\"" + weights + "\")",
                                          "--data=noise(rows = 60)", "--set=last_batch=\"drop\"",
                                          "--weights=" + weights};
  REQUIRE(train(model, folder, with(flags, {"--epochs=1"})).exit_code == 0);
  const std::vector<std::string> names = {"start", "data", "last_batch", "weights"};
  for (size_t left_out = 0; left_out < flags.size(); ++left_out) {
    std::vector<std::string> rest = {"--resume", "--epochs=2"};
    for (size_t i = 0; i < flags.size(); ++i)
      if (i != left_out) rest.push_back(flags[i]);
    if (names[left_out] == "data") rest.push_back("--data=noise(rows = 61)");
    const ProgramRun run = train(model, folder, rest);
    INFO(names[left_out] << "\n" << run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("\n  " + names[left_out] + ": ") != std::string::npos);
  }
  const ProgramRun same = train(model, folder, with(flags, {"--resume", "--epochs=2"}));
  INFO(same.err);
  CHECK(same.exit_code == 0);
  CHECK(same.err.find("note: ") == std::string::npos);
}

TEST_CASE("a run that is resumed with another model says so, and with other metrics cannot be") {
  const std::string folder = temporary_path("other_model");
  const std::string body =
      "  y = dense(x, 4)\n  loss = mean(sparse_categorical_crossentropy(y, label))\n";
  const std::string metric = "  metric hits = confusion_matrix(argmax(y), label, ";
  const std::string model = write_model("other.grad", body + metric + "4)\n");
  REQUIRE(train(model, folder, {"--time-limit=0s"}).exit_code == 0);
  const ProgramRun same = train(model, folder, {"--time-limit=0s", "--resume"});
  CHECK(same.exit_code == 0);
  CHECK(same.err.find("note: ") == std::string::npos);
  write_model("other.grad", "\n  # a remark\n" + body + metric + "4)\n");
  CHECK(train(model, folder, {"--time-limit=0s", "--resume"}).err.find("note: ") ==
        std::string::npos);
  for (const std::string& other :
       {metric + "5)\n", std::string(), metric + "4)\n  metric m = mean(y)\n"}) {
    write_model("other.grad", body + other);
    const ProgramRun run = train(model, folder, {"--resume"});
    INFO(other << run.err);
    CHECK(run.exit_code == 1);
    CHECK(run.err.find("E0921") != std::string::npos);
  }
  write_model(
      "other.grad",
      "  y = dense(x, 4)\n  loss = mean(sparse_categorical_crossentropy(tanh(y), label))\n" +
          metric + "4)\n");
  const ProgramRun changed = train(model, folder, {"--resume"});
  INFO(changed.err);
  CHECK(changed.exit_code == 0);
  CHECK(changed.err.find("note: the training step is not the one") != std::string::npos);
}
