// Every allocation of a short training run fails, alone or with all that follow: the run ends as if
// nothing had been, or with exit code 5 and a message; never by a signal, never with half a file.
// Without oneDNN, which uses memory that it did not get while it makes an engine or a primitive
// (SIGSEGV in dnnl_engine_create, 2.6.3): such a run ends with 70 and a report.
#include <filesystem>
#include <fstream>

#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

const std::string kLibrary = GRADC_BUILD_DIR "/tests/libfail_nth.so";

constexpr const char* kModel = R"(
model small(point: f32[batch, 40], target: f32[batch, 30]) {
  hidden = dropout(dense(point, 50, activation = tanh), 0.25)
  out    = dense(hidden, 30)
  loss   = mean((out - target) ** 2)
  output value = out
}
train small {
  data      = noise(rows = 64)
  batch     = 32
  epochs    = 2
  optimizer = adam(learning_rate = 0.05)
}
)";

/// `timeout` ends what hangs with 124.
ProgramRun run_failing(const Arguments& variables, const std::string& program,
                       const Arguments& arguments) {
  Arguments all = {"20", "env", "GOMP_SPINCOUNT=1000", "FAIL_CLASS=memory",
                   "LD_PRELOAD=" + kLibrary};
  all.insert(all.end(), variables.begin(), variables.end());
  all.push_back(program);
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_executable("/usr/bin/timeout", all);
}

/// A run and where each allocation of it fails; `stride` of them are tried.
class FailingRun {
 public:
  FailingRun(std::string program, Arguments arguments)
      : program_(std::move(program)), arguments_(std::move(arguments)) {
    folder_ = temporary_path("failing");
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    weights_ = folder_ + "/weights.safetensors";
    arguments_.insert(arguments_.end(), {"--threads", "2", "--out", weights_});
    const std::string counted = temporary_path("count");
    const ProgramRun whole = run_failing({"FAIL_COUNT=" + counted}, program_, arguments_);
    INFO(whole.err);
    REQUIRE(whole.exit_code == 0);
    expected_ = read_file(weights_);
    std::ifstream(counted) >> calls_;
    REQUIRE(calls_ > 100);
  }

  void try_each(int64_t tries) {
    // An odd step reaches calls of all kinds, though they repeat.
    const int64_t step = std::max<int64_t>(1, calls_ / tries) | 1;
    for (int64_t at = 1; at <= calls_; at += step)
      for (const bool is_forever : {false, true}) fail_at(at, is_forever);
    CHECK(failures_ > 0);
  }

 private:
  void fail_at(int64_t at, bool is_forever) {
    fs::remove(weights_);
    Arguments variables = {"FAIL_AT=" + std::to_string(at)};
    if (is_forever) variables.push_back("FAIL_FOREVER=1");
    const ProgramRun run = run_failing(variables, program_, arguments_);
    INFO("allocation " << at << (is_forever ? " and all that follow" : "") << " of " << calls_
                       << "\n"
                       << run.err);
    CHECK((run.exit_code == 0 || run.exit_code == 5));
    if (run.exit_code != 0) {
      ++failures_;
      CHECK(!run.err.empty());
    } else {
      CHECK(read_file(weights_) == expected_);
    }
    if (fs::exists(weights_)) CHECK(read_file(weights_) == expected_);
  }

  std::string program_;
  Arguments arguments_;
  std::string folder_, weights_, expected_;
  int64_t calls_ = 0;
  int64_t failures_ = 0;
};

std::string built_program() {
  const std::string program = temporary_path("small");
  const ProgramRun build = run_program(
      {"build", write_temporary("small.grad", kModel), "-o", program, "--backend", "llvm"});
  INFO(build.err);
  REQUIRE(build.exit_code == 0);
  return program;
}

/// gradc with its kernels compiled again in each run.
FailingRun compiling_run() {
  return {GRADC_PROGRAM,
          {"train", write_temporary("small.grad", kModel), "--cache", "off", "--backend", "llvm"}};
}

/// FAULTS_TRIES for the long form: 1000000 tries every allocation.
int64_t tries(int64_t usual) {
  const char* given = std::getenv("FAULTS_TRIES");
  return given == nullptr ? usual : std::atoll(given);
}

}  // namespace

TEST_CASE("a built program survives every allocation that fails") {
  if (kIsSanitized) return;  // it has an allocator of its own
  FailingRun(built_program(), {"train"}).try_each(tries(40));
}

TEST_CASE("gradc survives every allocation that fails") {
  if (kIsSanitized) return;
  compiling_run().try_each(tries(20));
}
