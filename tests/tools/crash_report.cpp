// What an internal error leaves behind.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <filesystem>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// gradc in another folder, where its reports go.
ProgramRun run_in(const std::string& folder, const std::string& arguments,
                  const std::function<void(int)>& while_running = {}) {
  return run_executable("/bin/sh",
                        {"-c", "cd " + folder + " && exec " GRADC_PROGRAM " " + arguments}, "",
                        while_running);
}

std::string fresh_folder(const std::string& name) {
  const std::string folder = temporary_path(name);
  fs::create_directories(folder);
  return folder;
}

/// The only report in the folder.
std::string report_in(const std::string& folder) {
  std::string found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().rfind("gradc-crash-", 0) != 0) continue;
    CHECK(found.empty());
    found = entry.path().string();
  }
  REQUIRE(!found.empty());
  return found;
}

// There is no wrong code for `select`, so that asking for it is an internal error of compilation.
std::string planted() {
  return "verify " + model_path("mnist_mlp.grad") + " --data 'noise(rows = 8)' --corrupt-kernel ";
}

/// A training in `folder` that `crash` does something to while it runs.
ProgramRun crash_training(const std::string& folder, const std::function<void(int)>& crash) {
  const std::string log = folder + "/log";
  return run_in(
      folder,
      "train " + model_path("mnist_mlp.grad") +
          " --data 'noise(rows = 64)' --batch 32 --epochs 1000000 --json --log-every 1 > " + log,
      [&](int process) {
        while (!fs::exists(log) || fs::file_size(log) < 2000) usleep(5000);
        crash(process);
      });
}

}  // namespace

TEST_CASE("an internal error leaves the model, the graph, the command and the stage") {
  const std::string folder = fresh_folder("internal_error");
  const ProgramRun run = run_in(folder, planted() + "select");
  INFO(run.err);
  CHECK(run.exit_code == 70);
  CHECK_THAT(run.err, Contains("internal error") && Contains("no wrong code for select") &&
                          Contains("gradc-crash-"));
  const std::string report = report_in(folder);
  CHECK_THAT(read_file(report + "/report.txt"),
             Contains("no wrong code for select") && Contains("--corrupt-kernel select") &&
                 Contains("stage: compiling a fused graph") && Contains("gradc 0."));
  CHECK(read_file(report + "/model.grad") == read_file(model_path("mnist_mlp.grad")));
  const ProgramRun dump = run_program({"dump", report + "/compiled.graph", "--stage", "fused"});
  INFO(dump.err);
  CHECK(dump.exit_code == 0);
  CHECK_THAT(dump.out, Contains("select("));
}

TEST_CASE("a report that cannot be written does not hide the error") {
  const ProgramRun run = run_in("/proc", planted() + "select");
  CHECK(run.exit_code == 70);
  CHECK_THAT(run.err, Contains("no wrong code for select") && !Contains("gradc-crash-"));
}

TEST_CASE("a crash of every thread of a team leaves one report") {
  if (kIsSanitized) return;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::string folder = fresh_folder("crash_of_all_" + std::to_string(attempt));
    const ProgramRun run = crash_training(folder, [](int process) {
      for (const auto& thread :
           fs::directory_iterator("/proc/" + std::to_string(process) + "/task"))
        syscall(SYS_tgkill, process, std::stoi(thread.path().filename().string()), SIGSEGV);
    });
    INFO(run.err);
    CHECK(run.exit_code == 70);
    CHECK_THAT(run.err, Contains("SIGSEGV") && Contains("gradc-crash-"));
    CHECK_THAT(read_file(report_in(folder) + "/report.txt"), Contains("--epochs 1000000"));
  }
}

TEST_CASE("a crash leaves a report and ends with 70") {
  if (kIsSanitized) return;  // the sanitizer reports signals
  const std::string folder = fresh_folder("crash");
  const ProgramRun run = crash_training(folder, [](int process) { kill(process, SIGSEGV); });
  INFO(run.err);
  CHECK(run.exit_code == 70);
  CHECK_THAT(run.err, Contains("SIGSEGV") && Contains("gradc-crash-"));
  const std::string report = report_in(folder);
  CHECK_THAT(read_file(report + "/report.txt"), Contains("--epochs 1000000"));
  CHECK(read_file(report + "/model.grad") == read_file(model_path("mnist_mlp.grad")));
}
