// The models, and the moments.
#include "tests/tools/interrupted_runs.h"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <sstream>

namespace fs = std::filesystem;

namespace gradc {
namespace {

constexpr const char* kDropout = R"(
model dropped(x: f32[batch, 24], target: f32[batch, 24]) {
  var h = x
  for block in range(3) {
    h := dropout(dense(h, 40, activation = relu), 0.3)
  }
  loss = mean((dense(h, 24) - target) ** 2)
}
train dropped {
  data      = noise(rows = 192)
  batch     = 16
  epochs    = 40
  optimizer = adam(learning_rate = 1e-3)
}
)";

constexpr const char* kLstm = R"(
model remembers(x: f32[batch, 12, 10], target: f32[batch, 16]) {
  heard = lstm(x, 16)
  loss  = mean((heard - target) ** 2)
}
train remembers {
  data      = noise(rows = 160)
  batch     = 16
  epochs    = 30
  optimizer = adam(learning_rate = 1e-3)
}
)";

/// Losses of the epochs, without the seconds.
std::string table_without_seconds(const std::string& folder) {
  std::istringstream table(read_file(folder + "/metrics.csv"));
  std::string text;
  for (std::string row; std::getline(table, row);) text += row.substr(0, row.rfind(',')) + "\n";
  return text;
}

/// What the log says of batches: each once, in their order.
std::string batches_of_log(const std::string& folder) {
  std::istringstream log(read_file(folder + "/log.jsonl"));
  std::string text;
  for (std::string line; std::getline(log, line);)
    if (line.find("\"event\":\"batch\"") != std::string::npos) text += line + "\n";
  return text;
}

std::vector<std::string> with_folder(const InterruptedCase& subject, const std::string& folder) {
  std::vector<std::string> arguments = subject.arguments;
  arguments.insert(arguments.end(), {"--run", folder});
  return arguments;
}

}  // namespace

std::string dropout_model() {
  static const std::string path = write_temporary("dropped.grad", kDropout);
  return path;
}

InterruptedCase dropout_case() {
  return {"dropout",
          {"train", dropout_model(), "--save-every", "7", "--keep", "1", "--val-split", "0.2",
           "--log-every", "3"}};
}

InterruptedCase lstm_case() {
  return {"lstm", {"train", write_temporary("lstm.grad", kLstm), "--save-every", "5"}};
}

InterruptedCase gpt_case() {
  const std::string model = model_path("gallery/gpt.grad");
  return {"gpt", made_small(model, {"train", model, "--save-every", "3", "--batch=4",
                                    "--set=steps=150", "--set=model.rate=0.1"})};
}

std::string newest_checkpoint(const std::string& folder) {
  std::string newest;
  if (!fs::exists(folder)) return newest;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("step-", 0) == 0 && name.ends_with(".safetensors"))
      newest = std::max(newest, entry.path().string());
  }
  return newest;
}

RunResult run_result(const std::string& folder) {
  const std::string newest = newest_checkpoint(folder), best = folder + "/best.safetensors";
  return {newest.empty() ? "" : read_file(newest), fs::exists(best) ? read_file(best) : ""};
}

void check_resumed_from(const std::string& newest, const std::string& messages) {
  INFO("resumed with " << newest << ": " << messages);
  const bool is_anew = messages.find("has no checkpoint yet") != std::string::npos;
  REQUIRE(is_anew == newest.empty());
  if (!is_anew) REQUIRE(messages.find("resumed from " + newest + ":") != std::string::npos);
}

void check_interrupted_runs(const InterruptedCase& subject, int signal, int count) {
  const std::string name = subject.name + "_" + std::to_string(signal);
  const std::string whole = temporary_path("whole_" + name);
  fs::remove_all(whole);  // of another case of this subject
  const ProgramRun uninterrupted = run_program(with_folder(subject, whole));
  INFO(subject.name << "\n" << uninterrupted.err);
  REQUIRE(uninterrupted.exit_code == 0);
  const RunResult expected = run_result(whole);
  const std::string table = table_without_seconds(whole);
  const std::string batches = batches_of_log(whole);
  REQUIRE_FALSE(expected.newest.empty());

  std::mt19937 random(20260101);
  std::uniform_real_distribution<double> moment(0.02, 1.0);
  std::bernoulli_distribution is_stopped_again(0.5);
  int stopped = 0, kept = 0;
  for (int i = 0; i < count; ++i) {
    const std::string folder = temporary_path("stopped_" + name + "_" + std::to_string(i));
    std::vector<std::string> arguments = with_folder(subject, folder);
    const auto stop_at_some_moment = [&](int process) {
      usleep(static_cast<useconds_t>(1e6 * uninterrupted.seconds * moment(random)));
      kill(process, signal);
    };
    ProgramRun run = run_program(arguments, "", stop_at_some_moment);
    arguments.push_back("--resume");
    while (run.exit_code == 128 + signal) {
      ++stopped;
      const std::string newest = newest_checkpoint(folder);
      const bool is_begun = fs::exists(folder + "/run.json");
      const bool goes_on = is_stopped_again(random);
      run = goes_on ? run_program(arguments, "", stop_at_some_moment) : run_program(arguments);
      if (goes_on || !is_begun) continue;
      check_resumed_from(newest, run.err);
      kept += newest.empty() ? 0 : 1;
    }
    INFO(subject.name << " " << i << "\n" << run.err);
    REQUIRE(run.exit_code == 0);
    REQUIRE((run_result(folder) == expected));
    REQUIRE(table_without_seconds(folder) == table);
    REQUIRE(batches_of_log(folder) == batches);
    for (const auto& entry : fs::directory_iterator(folder))
      REQUIRE(entry.path().extension() != ".tmp");
    fs::remove_all(folder);
  }
  WARN(subject.name << ": " << count << " runs, stopped " << stopped
                    << " times, resumed from a checkpoint " << kept << " times");
}

}  // namespace gradc
