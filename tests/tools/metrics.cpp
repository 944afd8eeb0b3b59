// Metrics of the library over a pass whose last batch is not full, and tensors among them.
#include <cmath>

#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

/// The four points of `xor` in batches of three and one; nothing is trained.
constexpr const char* kModel = R"(
model scores(point: f32[batch, 2], target: f32[batch, 1]) {
  wanted = target[:, 0]
  label  = convert(wanted, i32)
  both   = convert(point[:, 0] * point[:, 1], i32)
  mixed  = 0.2 + 0.3 * point[:, 0] + 0.4 * point[:, 1] - 0.35 * point[:, 0] * point[:, 1]
  ranks  = concat([point, full([batch, 1], 0.5)], axis = 1)
  metric table        = confusion_matrix(both, label, 2)
  metric of_guessed   = precision(table)
  metric of_present   = recall(table)
  metric macro        = mean(f1(table))
  metric spread       = perplexity(point[:, 0] + 2 * point[:, 1])
  metric distance     = root_mean_squared_error(0.25 + 0.5 * point[:, 0], wanted)
  metric explained    = r2(0.25 + 0.5 * point[:, 0], wanted)
  metric area         = auc(mixed, wanted)
  metric best         = mean(top_k_accuracy(ranks, label, k = 1))
  metric second       = mean(top_k_accuracy(ranks, label, k = 2))
  metric sides        = mean(binary_accuracy(mixed - 0.4, wanted))
  metric ratio        = sum(wanted * mixed) / sum(mixed)
}
train scores {
  data       = xor
  eval_batch = 3
  optimizer  = none
}
)";

}  // namespace

TEST_CASE("metrics count a batch that is not full as what it is") {
  const std::string model = write_temporary("metrics.grad", kModel);
  const ProgramRun run = run_program({"eval", model, "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const nlohmann::json values = run.last_json();
  CHECK(values.at("table") == nlohmann::json({{1.0, 1.0}, {2.0, 0.0}}));
  CHECK(values.at("of_guessed")[0].get<double>() == Approx(1.0 / 3).epsilon(1e-12));
  CHECK(values.at("of_guessed")[1].get<double>() == 0);
  CHECK(values.at("of_present")[0].get<double>() == 0.5);
  CHECK(values.at("macro").get<double>() == Approx(0.2).epsilon(1e-12));
  CHECK(values.at("spread").get<double>() == Approx(std::exp(1.5)).epsilon(1e-12));
  CHECK(values.at("distance").get<double>() == Approx(std::sqrt(0.3125)).epsilon(1e-12));
  CHECK(values.at("explained").get<double>() == Approx(-0.25).epsilon(1e-12));
  CHECK(values.at("area").get<double>() == Approx(0.75).epsilon(1e-12));
  CHECK(values.at("best").get<double>() == 0.5);
  CHECK(values.at("second").get<double>() == 0.75);
  CHECK(values.at("sides").get<double>() == 0.75);
  CHECK(values.at("ratio").get<double>() == Approx(1.1 / 1.85).epsilon(1e-6));
}

TEST_CASE("a metric that is a matrix is printed as a table") {
  const std::string model = write_temporary("metrics.grad", kModel);
  const ProgramRun run = run_program({"eval", model});
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("table:\n  1  1\n  2  0\n") != std::string::npos);
  CHECK(run.out.find("macro: 0.200000\n") != std::string::npos);
}

TEST_CASE("metrics of narrow floats are sums beyond them") {
  const std::string model = write_temporary("narrow_metrics.grad", R"(
model narrow(x: f16[batch, 100]) {
  metric level = mean(x * 0 + 100)
  metric total = sum(x * 0 + 100)
}
train narrow { data = noise(rows = 60); eval_batch = 40; optimizer = none }
)");
  const ProgramRun run = run_program({"eval", model, "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.last_json().at("level").get<double>() == 100);
  CHECK(run.last_json().at("total").get<double>() == 600000);
}
