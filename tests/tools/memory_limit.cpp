// gradc --memory-limit: the arena stays below it, the bits are those of a run without it, and a
// limit that cannot be kept is an error that says what could.
#include <regex>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace {

const char* const kStackedScan = R"(
model stacked(x: f32[batch, 12, 6], label: u8[batch]) {
  first  = lstm(x, 24, return_sequences = true)
  second = gru(dropout(first, 0.3), 24, return_sequences = true)
  logits = dense(simple_rnn(second, 24), 5)
  loss   = mean(sparse_categorical_crossentropy(logits, label))
}
train stacked {
  data      = noise(rows = 32)
  batch     = 16
  epochs    = 2
  optimizer = adam
}
)";

const char* const kDropoutChain = R"(
model chain(x: f32[batch, 32], target: f32[batch, 32]) {
  var h = x
  for block in range(5) {
    h := dropout(layer_norm(gelu(dense(h, 32))), 0.2)
  }
  loss = mean((h - target) ** 2)
}
train chain {
  data      = noise(rows = 48)
  batch     = 24
  epochs    = 2
  optimizer = sgd(momentum = 0.9)
}
)";

ProgramRun run_on(const std::string& command, const std::string& model,
                  const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {command, model, "--threads", "2"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return run_program(arguments);
}

/// What an error of E0806 says: bytes that would do, and their share of what was planned.
struct LeastMemory {
  int64_t bytes = 1;
  double share = 1;
};

LeastMemory least_memory(const ProgramRun& run) {
  INFO(run.out << run.err);
  std::smatch match;
  const std::regex form(
      R"(E0806.* needs ([0-9.]+) (B|KiB|MiB) .*can do with .*\(([0-9]+) bytes\))");
  REQUIRE(run.exit_code == 5);
  REQUIRE(std::regex_search(run.err, match, form));
  const double unit = match[2] == "B" ? 1 : match[2] == "KiB" ? 1024 : 1024 * 1024;
  const int64_t bytes = std::stoll(match[3]);
  return {bytes, static_cast<double>(bytes) / (std::stod(match[1]) * unit)};
}

/// Trains without a limit and with the smallest that all programs can keep: the parameters are the
/// same bytes. Returns what remains of the arena that says how much that is.
double check_same_bits(const std::string& model, const std::vector<std::string>& flags) {
  const auto train = [&](const std::string& file, std::vector<std::string> more) {
    more.insert(more.end(), flags.begin(), flags.end());
    more.insert(more.end(), {"--out", file});
    return run_on("train", model, more);
  };
  const std::string plain_file = temporary_path("plain.safetensors");
  const std::string limited_file = temporary_path("limited.safetensors");
  LeastMemory least;
  ProgramRun limited;
  for (int tries = 0; tries < 4 && limited.exit_code != 0; ++tries) {
    limited = train(limited_file, {"--memory-limit", std::to_string(least.bytes)});
    if (limited.exit_code != 0) least = least_memory(limited);
  }
  const ProgramRun plain = train(plain_file, {});
  INFO(plain.err << limited.err);
  REQUIRE(plain.exit_code == 0);
  REQUIRE(limited.exit_code == 0);
  CHECK(read_file(plain_file) == read_file(limited_file));
  CHECK_THAT(limited.err, Contains("memory: ") && Contains(" us  "));
  return least.share;
}

}  // namespace

TEST_CASE("training within a memory limit gives the same bits") {
  CHECK(check_same_bits(write_temporary("chain.grad", kDropoutChain), {}) < 0.7);
  CHECK(check_same_bits(write_temporary("stacked.grad", kStackedScan), {}) < 0.9);
  CHECK(check_same_bits(model_path("bench/resnet8_sgd.grad"),
                        {"--data", "noise(rows = 4)", "--batch", "4"}) < 0.7);
  CHECK(check_same_bits(model_path("bench/gpt_char_adamw.grad"),
                        {"--set", "model.depth=1", "--set", "model.span=32", "--set",
                         "model.width=32", "--data", "noise(rows = 4)", "--batch", "2"}) < 0.7);
}

TEST_CASE("the plan shows what a limit costs, and limits are read with their units") {
  const std::string model = write_temporary("chain.grad", kDropoutChain);
  const auto plan = [&](const std::string& limit) {
    return run_program(
        {"dump", model, "--stage", "plan", "--mode", "train", "--memory-limit", limit});
  };
  const ProgramRun roomy = plan("1G");
  CHECK(roomy.exit_code == 0);
  CHECK_THAT(roomy.out, !Contains("computed again"));
  const ProgramRun tight = plan("60K");
  INFO(tight.out << tight.err);
  REQUIRE(tight.exit_code == 0);
  CHECK_THAT(tight.out, Contains("limit 60.0 KiB") &&
                            Contains("computed again, which needs less memory than to keep it"));
  std::smatch arena;
  REQUIRE(std::regex_search(tight.out, arena, std::regex(R"(\narena ([0-9.]+) KiB)")));
  CHECK(std::stod(arena[1]) <= 60);
  CHECK(plan("12 apples").exit_code == 2);
  CHECK(plan("0").exit_code == 2);
  CHECK(plan("1").exit_code == 5);
}
