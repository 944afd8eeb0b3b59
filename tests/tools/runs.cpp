// Runs in a folder: what they keep, how they are resumed, what they refuse.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "tests/tools/interrupted_runs.h"

using namespace gradc;
namespace fs = std::filesystem;

namespace {

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

ProgramRun train_in(const std::string& folder, std::vector<std::string> flags,
                    const std::function<void(int)>& while_running = {}) {
  std::vector<std::string> arguments = {"train", dropout_model(), "--run", folder, "--batch=16"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return run_program(arguments, "", while_running);
}

}  // namespace

TEST_CASE("a run keeps its last checkpoints, the best one, its log, a table and its command") {
  const std::string folder = temporary_path("run_kept");
  const ProgramRun run = train_in(
      folder, {"--set=epochs=3", "--save-every=5", "--keep=2", "--val-split=0.25", "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(files_in(folder) ==
        std::set<std::string>{"best.safetensors", "lock", "log.jsonl", "metrics.csv", "run.json",
                              "step-000000025.safetensors", "step-000000027.safetensors"});
  CHECK(read_file(folder + "/log.jsonl") == run.out);
  const std::string table = read_file(folder + "/metrics.csv");
  CHECK(table.rfind("epoch,steps,loss,val_loss,seconds\n1,9,", 0) == 0);
  CHECK(std::count(table.begin(), table.end(), '\n') == 4);
  const auto description = nlohmann::json::parse(read_file(folder + "/run.json"));
  CHECK(description.at("command").at(2) == dropout_model());
  CHECK(description.at("settings").at("batch") == 16);
  const auto end = run.last_json();
  CHECK(end.at("best_epoch").get<int>() >= 1);
  CHECK(end.contains("val_loss"));
  const ProgramRun evaluated =
      run_program({"eval", dropout_model(), "--weights", folder + "/step-000000027.safetensors"});
  CHECK(evaluated.exit_code == 0);
}

TEST_CASE("a run killed at any moment and resumed ends with the same checkpoint") {
  // The long form kills each model many times more: see docs/testing.md.
  check_interrupted_runs(dropout_case(), SIGKILL, 6);
}

TEST_CASE("a run interrupted at any moment saves, says so by its exit code, and is resumed") {
  check_interrupted_runs(dropout_case(), SIGINT, 4);
}

TEST_CASE("100 runs of an MLP with dropout, killed", "[.long]") {
  check_interrupted_runs(dropout_case(), SIGKILL, 100);
}
TEST_CASE("100 runs of an LSTM, killed", "[.long]") {
  check_interrupted_runs(lstm_case(), SIGKILL, 100);
}
TEST_CASE("100 runs of a GPT, killed", "[.long]") {
  check_interrupted_runs(gpt_case(), SIGKILL, 100);
}

TEST_CASE("two runs in one folder refuse each other") {
  const std::string folder = temporary_path("run_shared");
  ProgramRun second;
  const ProgramRun first =
      train_in(folder, {"--set=epochs=100000", "--time-limit=60s"}, [&](int process) {
        for (int i = 0; i < 30000 && !fs::exists(folder + "/log.jsonl"); ++i) usleep(1000);
        second = train_in(folder, {"--resume"});
        kill(process, SIGTERM);
      });
  CHECK(first.exit_code == 143);
  CHECK(second.exit_code == 5);
  CHECK(second.err.find("E0932") != std::string::npos);
}

TEST_CASE("a damaged checkpoint is named and the one before it taken") {
  const std::string folder = temporary_path("run_damaged");
  const std::vector<std::string> flags = {"--set=epochs=2", "--save-every=5"};
  REQUIRE(train_in(folder, flags).exit_code == 0);
  const std::string newest = read_file(newest_checkpoint(folder));
  std::string bytes = newest;
  bytes[bytes.size() - 3] ^= 1;
  std::ofstream(folder + "/step-000000024.safetensors", std::ios::binary) << bytes;
  std::vector<std::string> resume = flags;
  resume.push_back("--resume");
  const ProgramRun run = train_in(folder, resume);
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("tensor `") != std::string::npos);
  CHECK(run.err.find("resumed from " + folder + "/step-000000020") != std::string::npos);
  CHECK((run_result(folder).newest == newest));
  for (const std::string& name : files_in(folder))
    if (name.rfind("step-", 0) == 0) std::ofstream(folder + "/" + name) << "damaged";
  const ProgramRun none = train_in(folder, resume);
  CHECK(none.exit_code == 1);
  CHECK(none.err.find("E0933") != std::string::npos);
}

TEST_CASE("damaged checkpoints do not push whole ones out") {
  const std::string folder = temporary_path("run_pushed");
  REQUIRE(train_in(folder, {"--set=epochs=2", "--save-every=5"}).exit_code == 0);
  for (const char* name : {"step-000000020.safetensors", "step-000000024.safetensors"})
    std::ofstream(folder + "/" + name) << "damaged";
  const ProgramRun run =
      train_in(folder, {"--set=epochs=2", "--save-every=4", "--keep=1", "--resume"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.find("resumed from " + folder + "/step-000000015") != std::string::npos);
  CHECK(files_in(folder).count("step-000000024.safetensors.damaged") == 1);
  const ProgramRun again = train_in(folder, {"--set=epochs=3", "--resume"});
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("resumed from " + folder + "/step-000000024") != std::string::npos);
}

TEST_CASE("a folder with checkpoints of who knows what is refused") {
  const std::string folder = temporary_path("run_foreign");
  fs::create_directories(folder);
  std::ofstream(folder + "/step-000000999.safetensors") << "foreign";
  const ProgramRun run = train_in(folder, {"--set=epochs=1"});
  CHECK(run.exit_code == 2);
  CHECK(run.err.find("holds checkpoints of another run") != std::string::npos);
  CHECK(read_file(folder + "/step-000000999.safetensors") == "foreign");
}

TEST_CASE("a run ends early where its rules say so") {
  const ProgramRun early =
      run_program({"train", dropout_model(), "--set=epochs=500",
                   "--set=optimizer.learning_rate=0.0", "--early-stop=2", "--json"});
  INFO(early.err);
  REQUIRE(early.exit_code == 0);
  CHECK(early.last_json().at("stopped") == "early-stop");
  const ProgramRun limited = run_program(
      {"train", dropout_model(), "--set=epochs=1000000", "--time-limit=0.2s", "--json"});
  REQUIRE(limited.exit_code == 0);
  CHECK(limited.last_json().at("stopped") == "time-limit");
}

TEST_CASE("what a run cannot be is refused in words") {
  const std::string folder = temporary_path("run_refused");
  REQUIRE(train_in(folder, {"--set=epochs=1"}).exit_code == 0);
  const auto refused = [&](std::vector<std::string> flags, const std::string& message) {
    const ProgramRun run = train_in(folder, std::move(flags));
    INFO(message << "\n" << run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(message) != std::string::npos);
  };
  refused({}, "holds a run already");
  refused({"--resume", "--seed=3"}, "seed: 0 then, 3 now");
  refused({"--resume", "--val-split=0.5"}, "val_split");
  refused({"--resume", "--save-every=soon"}, "a number of steps (500) or a time (10m)");
  refused({"--resume", "--time-limit=10"}, "a time such as");
  refused({"--resume", "--best=acuracy"}, "an epoch gives loss");
  const ProgramRun homeless = run_program({"train", dropout_model(), "--resume"});
  CHECK(homeless.exit_code == 2);
  const std::string file = write_temporary("no_folder", "");
  const ProgramRun blocked = train_in(file, {});
  CHECK(blocked.exit_code == 5);
  CHECK(blocked.err.find("E0922") != std::string::npos);
  const ProgramRun few = run_program({"train", dropout_model(), "--val-split=0.0001"});
  CHECK(few.exit_code == 1);
  CHECK(few.err.find("E0915") != std::string::npos);
}
