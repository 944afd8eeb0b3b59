// What gradc bench prints: fields and sums, no limits on times, which depend on the machine.
#include <catch2/catch.hpp>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

namespace {

const std::vector<std::string> kQuick = {"--seconds", "0.05", "--threads", "2"};

ProgramRun bench(const std::string& model, std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"bench", model});
  flags.insert(flags.end(), kQuick.begin(), kQuick.end());
  return run_program(flags);
}

const char* const kSmall = R"(
model small(x: f32[batch, 64], label: u8[batch]) {
  logits = dense(dense(x, 32, activation = relu), 10)
  loss = mean(sparse_categorical_crossentropy(logits, label))
  output probabilities = softmax(logits)
}
train small {
  data      = noise(rows = 16)
  batch     = 16
  optimizer = adam
}
)";

}  // namespace

TEST_CASE("noise feeds a model in place of its own data") {
  const ProgramRun run = run_program({"eval", model_path("reference/d2.grad"), "--data",
                                      "noise(rows = 20)", "--json", "--batch", "10"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.last_json().at("loss").is_number());
}

TEST_CASE("noise has a field for an input that nothing reads") {
  const std::string model = write_temporary("unread.grad", R"(
model unread(x: f32[batch, 3], y: f32[batch]) {
  loss = mean(square(dense(x, 1)))
}
train unread { data = noise(rows = 8); batch = 3; optimizer = sgd(0.1) }
)");
  const ProgramRun run = run_program({"train", model, "--json"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("bench prints every field of its contract, and kernels that add up to the step") {
  const ProgramRun run = bench(write_temporary("small.grad", kSmall), {"--kernels"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const nlohmann::json end = run.last_json();
  CHECK(end.at("event") == "end");
  CHECK(end.at("rows") == 16);
  for (const char* field :
       {"fused_ms", "fused_p10_ms", "fused_p90_ms", "unfused_ms", "infer_ms", "speedup", "floor_ms",
        "share_of_floor", "samples_per_s", "peak_bytes", "compile_ms", "elaborate_ms", "passes_ms",
        "lower_ms", "code_ms", "resident_bytes"}) {
    INFO(field);
    CHECK(end.at(field).get<double>() > 0);
  }
  CHECK(end.at("fused_p10_ms") <= end.at("fused_ms"));
  CHECK(end.at("fused_ms") <= end.at("fused_p90_ms"));
  CHECK(end.at("peak_bytes") >= end.at("peak_lower_bound"));
  // Two products forward, their two weight gradients and one gradient of the hidden layer.
  CHECK(end.at("least_flop") == 2.0 * 16 * (2 * 64 * 32 + 3 * 32 * 10));
  // Parameters and both slots in and out, the data in, at most some bytes for step and loss.
  const double state = 3.0 * 4 * (64 * 32 + 32 + 32 * 10 + 10);
  CHECK(end.at("least_bytes").get<double>() == Approx(2 * state + 16 * 64 * 4 + 16).margin(64));
  for (const char* field : {"gflop_per_s", "L2_gb_per_s", "L3_gb_per_s", "memory_gb_per_s"})
    CHECK(end.at("ceilings").at(field).get<double>() > 0);
  double microseconds = 0;
  size_t kernels = 0;
  for (const nlohmann::json& line : run.json_lines()) {
    if (line.at("event") != "kernel") continue;
    CHECK(line.at("step") == kernels++);
    CHECK(line.at("bytes").get<double>() > 0);
    microseconds += line.at("us").get<double>();
  }
  CHECK(end.at("kernels") == kernels);
  // The clock and the binding of memory are not in both; a busy machine is not meant to matter.
  CHECK(microseconds > 0);
  CHECK(microseconds < 1000 * 20 * end.at("fused_p90_ms").get<double>());
}

TEST_CASE("bench draws a roofline and prints tables") {
  const std::string picture = temporary_path("roofline.svg");
  const ProgramRun run = bench(write_temporary("small.grad", kSmall),
                               {"--roofline", picture, "--format", "markdown", "--mode", "infer"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.out,
             Contains("| share of the floor |") && Contains("| step | kernel | backend |"));
  const std::string svg = read_file(picture);
  CHECK_THAT(svg, Catch::StartsWith("<svg") || Catch::StartsWith("<?xml"));
  CHECK_THAT(svg, Contains("</svg>") && Contains("GFLOP/s") && Contains("memory"));
}

TEST_CASE("bench measures what each fusion group gains, those of scans too") {
  const std::string model = write_temporary("scanned.grad", R"(
model scanned(x: f32[batch, 5, 8], label: u8[batch]) {
  logits = dense(simple_rnn(x, 16), 10)
  loss = mean(sparse_categorical_crossentropy(logits, label))
}
train scanned {
  data      = noise(rows = 16)
  batch     = 16
  optimizer = adam
}
)");
  const ProgramRun run = bench(model, {"--fusion-report"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  size_t groups = 0, losing = 0;
  bool has_softmax = false, has_round = false;
  for (const nlohmann::json& line : run.json_lines()) {
    if (line.at("event") != "group") continue;
    ++groups;
    losing += line.at("verdict") == "loses" ? 1 : 0;
    CHECK(line.at("us").get<double>() > 0);
    CHECK(line.at("apart_us").get<double>() > 0);
    CHECK(line.at("apart_kernels") >= 2);
    const std::string group = line.at("group");
    has_round |= group.find("/%") != std::string::npos && line.at("runs").get<int>() % 5 == 0;
    if (line.at("name") != "eq_max_add") continue;
    // Logits and labels in, losses and the gradient out, instead of all that lies between.
    has_softmax = true;
    CHECK(line.at("saved_bytes").get<double>() > 3 * 4 * 16 * 10);
    CHECK(line.at("estimated_us").get<double>() < line.at("estimated_apart_us").get<double>());
  }
  CHECK(has_softmax);
  CHECK(has_round);
  CHECK(run.last_json().at("groups") == groups);
  CHECK(run.last_json().at("groups_losing") == losing);
  const ProgramRun text = bench(model, {"--fusion-report", "--format", "text"});
  CHECK_THAT(text.out, Contains("verdict") && !Contains("|") && Contains(" groups: "));
  CHECK_THAT(bench(model, {"--fusion-report", "--format", "markdown"}).out,
             Contains("| group | ops | kind | runs |"));
}

TEST_CASE("bench times the compiler by phase") {
  const ProgramRun run = bench(write_temporary("small.grad", kSmall), {"--mode", "compile"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const nlohmann::json end = run.last_json();
  CHECK(end.at("rounds") >= 5);
  for (const char* field : {"elaborate_ms", "passes_ms", "lower_ms", "code_ms"})
    CHECK(end.at(field).get<double>() <= end.at("compile_p90_ms").get<double>());
}

TEST_CASE("what bench cannot do is a usage error") {
  const std::string model = write_temporary("small.grad", kSmall);
  CHECK(bench(model, {"--mode", "guess"}).exit_code == 2);
  CHECK(bench(model, {"--format", "yaml"}).exit_code == 2);
  CHECK(bench(model, {"--roofline", "plot.gif"}).exit_code == 2);
  CHECK(bench(model, {"--mode", "compile", "--kernels"}).exit_code == 2);
  CHECK(bench(model, {"--mode", "compile", "--fusion-report"}).exit_code == 2);
}
