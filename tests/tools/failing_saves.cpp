// Saves in which a call fails: the checkpoint before stays, the exit code says so, and the next
// save leaves nothing behind.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/tools/interrupted_runs.h"

using namespace gradc;
namespace fs = std::filesystem;

namespace {

constexpr const char* kClasses = "open,read,write,fsync,close,rename,unlink,mkdir,ftruncate";

/// A run of three saves in `folder`, with these variables of tests/faults.
ProgramRun run_with(const std::string& folder, std::vector<std::string> variables,
                    const std::vector<std::string>& flags = {}) {
  if (!variables.empty())
    variables.insert(variables.end(),
                     {"LD_PRELOAD=" GRADC_BUILD_DIR "/tests/libfail_nth.so", "FAIL_SKIP_START=1",
                      std::string("FAIL_CLASS=") + kClasses, "FAIL_BELOW=" + folder});
  variables.insert(variables.end(),
                   {GRADC_PROGRAM, "train", dropout_model(), "--set=epochs=1", "--save-every=4",
                    "--threads=2", "--val-split=0.2", "--keep=1", "--run", folder});
  variables.insert(variables.end(), flags.begin(), flags.end());
  return run_executable("/usr/bin/env", variables);
}

int64_t count_calls(const std::string& folder) {
  const std::string count = temporary_path("calls");
  REQUIRE(run_with(folder, {"FAIL_AT=0", "FAIL_COUNT=" + count}).exit_code == 0);
  return std::stoll(read_file(count));
}

std::string check_call(int64_t call, bool is_forever, const RunResult& expected) {
  const std::string folder = temporary_path("failing");
  fs::remove_all(folder);
  std::vector<std::string> variables = {"FAIL_AT=" + std::to_string(call)};
  if (is_forever) variables.push_back("FAIL_FOREVER=1");
  const ProgramRun failed = run_with(folder, variables);
  INFO("call " << call << (is_forever ? " and all after it" : "") << ": " << failed.err);
  // What only tidies up may fail unheard.
  CHECK((failed.exit_code == 5 || failed.exit_code == 0));
  if (failed.exit_code == 0) CHECK((run_result(folder) == expected));
  if (failed.exit_code == 5) CHECK(failed.err.find("error[E09") != std::string::npos);
  const std::string newest = newest_checkpoint(folder);
  const bool is_begun = fs::exists(folder + "/run.json");
  const ProgramRun resumed = run_with(folder, {}, {"--resume"});
  INFO("resumed: " << resumed.err);
  REQUIRE(resumed.exit_code == 0);
  if (is_begun) check_resumed_from(newest, resumed.err);
  CHECK((run_result(folder) == expected));
  for (const auto& entry : fs::directory_iterator(folder))
    CHECK(entry.path().extension() != ".tmp");
  return failed.exit_code == 5 ? "5" : "0";
}

/// Every `stride`th call of the run.
void check_failing_calls(int64_t stride) {
  if (kIsSanitized) {
    WARN("not with a sanitizer, which must be the first library");
    return;
  }
  const std::string whole = temporary_path("not_failing");
  const int64_t calls = count_calls(whole);
  REQUIRE(calls > 30);
  const RunResult expected = run_result(whole);
  REQUIRE_FALSE(expected.best.empty());
  int64_t failed = 0;
  for (int64_t call = 1; call <= calls; call += stride)
    for (const bool is_forever : {false, true})
      failed += check_call(call, is_forever, expected) == "5" ? 1 : 0;
  WARN(calls << " calls, every " << stride << ". failed, once and for ever; exit 5 in " << failed);
  CHECK(failed > 0);
}

}  // namespace

TEST_CASE("a call that fails while a run saves costs nothing that was saved") {
  check_failing_calls(11);
}

TEST_CASE("each call that fails while a run saves costs nothing that was saved", "[.long]") {
  check_failing_calls(1);
}

TEST_CASE("a full disk ends a run with exit 5") {
  const ProgramRun run =
      run_program({"train", dropout_model(), "--set=epochs=1", "--out", "/dev/full"});
  CHECK(run.exit_code == 5);
  CHECK(run.err.find("E0922") != std::string::npos);
}
