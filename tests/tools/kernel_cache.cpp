// gradc --cache: what a second run does, what is said about misses, and the same bits with and
// without.
#include <filesystem>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace {

ProgramRun train_xor(const std::vector<std::string>& flags) {
  const std::string model = write_temporary("cached.grad", R"(
model cached(point: f32[batch, 2], target: f32[batch, 1]) {
  out = dense(dense(point, 8, activation = tanh), 1)
  loss = mean((out - target) ** 2)
}
train cached {
  data = xor
  batch = 4
  epochs = 3
  optimizer = adam()
}
)");
  std::vector<std::string> arguments = {"train", model, "--json"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return run_program(arguments);
}

double loss_of(const ProgramRun& run) {
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return run.last_json().at("loss").get<double>();
}

}  // namespace

TEST_CASE("a second run uses the kernels of the first, with the same results") {
  const std::string folder = temporary_path("cache");
  const ProgramRun without = train_xor({"--cache", "off", "--explain-cache"});
  CHECK_THAT(without.err, !Contains("cache: "));
  const ProgramRun first = train_xor({"--cache", folder, "--explain-cache"});
  CHECK_THAT(first.err, Contains("cache: cached (train, 4 rows): compiled") &&
                            Contains("as it was not compiled before") && !Contains("used"));
  const ProgramRun second = train_xor({"--cache", folder, "--explain-cache"});
  CHECK_THAT(second.err, Contains("cache: cached (train, 4 rows): used") && !Contains("compiled "));
  CHECK(loss_of(first) == loss_of(without));
  CHECK(loss_of(second) == loss_of(without));
  CHECK_THAT(train_xor({"--cache", folder}).err, !Contains("cache: "));
}

TEST_CASE("damage and other builds are named, and the folder may be useless") {
  const std::string folder = temporary_path("cache-damaged");
  const double loss = loss_of(train_xor({"--cache", folder}));
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) fs::resize_file(entry.path(), fs::file_size(entry.path()) - 1);
  const ProgramRun damaged = train_xor({"--cache", folder, "--explain-cache"});
  CHECK_THAT(damaged.err, Contains("as its file is damaged") && !Contains("used"));
  CHECK(loss_of(damaged) == loss);

  const fs::path environment = *fs::directory_iterator(folder);
  fs::rename(environment, fs::path(folder) / "another");
  const ProgramRun other = train_xor({"--cache", folder, "--explain-cache"});
  CHECK_THAT(other.err, Contains("another build of gradc or for another processor"));
  CHECK(loss_of(other) == loss);

  const ProgramRun useless = train_xor({"--cache", "/dev/null/folder"});
  CHECK_THAT(useless.err, Contains("warning: compiled kernels are not kept"));
  CHECK(loss_of(useless) == loss);
}
