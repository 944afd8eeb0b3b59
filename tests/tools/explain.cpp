// The chain rule in numbers: T16 of the teaching examples, several ways, and what is refused.
#include <catch2/catch.hpp>
#include <map>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

namespace {

const char* const kChain = R"(
model chain() {
  param w: f32[] = 3
  param b: f32[] = 1
  x = full([], 2)
  y = full([], 4)
  x1 = w * x
  x2 = x1 + b
  loss = abs(y - x2)
}
)";

/// Derivatives by "of/by" of the edges and by the parameter; the differences must agree.
std::map<std::string, double> derivatives(const ProgramRun& run) {
  std::map<std::string, double> found;
  for (const nlohmann::json& line : run.json_lines()) {
    if (line.at("event") == "value") continue;
    const std::string key = line.at("event") == "edge" ? line.at("of").get<std::string>() + "/" +
                                                             line.at("by").get<std::string>()
                                                       : line.at("parameter").get<std::string>();
    found[key] = line.at("derivative");
    CHECK(line.at("difference").get<double>() == Approx(found[key]).epsilon(1e-5).margin(1e-8));
  }
  return found;
}

}  // namespace

TEST_CASE("explain prints each edge of |y - (w x + b)|") {
  const std::string model = write_temporary("explain_chain.grad", kChain);
  const ProgramRun run = run_program({"explain", model});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK_THAT(run.out, Contains("x1 = w * x          = 6\n"));
  CHECK_THAT(run.out, Contains("loss = abs(y - x2)  = 3\n"));
  CHECK_THAT(run.out, Contains("d loss/d x2 * d x2/d x1 * d x1/d w = 1 * 1 * 2 = 2\n"));
  const auto found = derivatives(run_program({"explain", model, "--json"}));
  CHECK(found == std::map<std::string, double>{
                     {"loss/x2", 1}, {"x2/x1", 1}, {"x2/b", 1}, {"x1/w", 2}, {"w", 2}, {"b", 1}});
}

TEST_CASE("explain adds up several ways and sees through unnamed tensors") {
  const std::string model = write_temporary("explain_ways.grad", R"(
model ways() {
  param w: f32[] = 0.5
  up = exp(w)
  down = w * w
  loss = up * down + sum(down * tensor([1.0, 2.0, 3.0]))
}
)");
  const ProgramRun run = run_program({"explain", model});
  INFO(run.err);
  CHECK_THAT(run.out, Contains("2 ways lead there"));
  const auto found = derivatives(run_program({"explain", model, "--json"}));
  const double up = std::exp(0.5), down = 0.25;
  CHECK(found.at("loss/up") == Approx(down));
  CHECK(found.at("loss/down") == Approx(up + 6));
  CHECK(found.at("w") == Approx(down * up + (up + 6) * 1));
}

TEST_CASE("explain takes differences where narrow floats are not rounded") {
  const std::string model = write_temporary("explain_narrow.grad", R"(
model narrow() {
  param w: f16[] = 0.5
  loss = exp(w) * 3
}
)");
  const auto found = derivatives(run_program({"explain", model, "--json"}));
  CHECK(found.at("w") == Approx(3 * std::exp(0.5)));
}

TEST_CASE("explain reads a row of the data") {
  const std::string model = write_temporary("explain_data.grad", R"(
model line(point: f32[batch, 2], target: f32[batch, 1]) {
  param w: f32[] = 2
  guess = sum(w * point)
  loss = square(guess - sum(target))
}
train line { data = xor }
)");
  const ProgramRun run = run_program({"explain", model});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("d loss/d w"));
}

TEST_CASE("explain refuses tensors and large graphs") {
  const ProgramRun tensors = run_program({"explain", model_path("mnist_mlp.grad")});
  CHECK(tensors.exit_code == 1);
  CHECK_THAT(tensors.err, Contains("explain follows single numbers"));
  CHECK_THAT(tensors.err, Contains("logits"));
  std::string text = "model deep() {\n  param w: f32[] = 1\n  x0 = w * 1\n";
  for (int i = 1; i < 70; ++i)
    text += "  x" + std::to_string(i) + " = x" + std::to_string(i - 1) + " * w\n";
  const ProgramRun deep =
      run_program({"explain", write_temporary("deep.grad", text + "  loss = x69\n}\n")});
  CHECK(deep.exit_code == 1);
  CHECK_THAT(deep.err, Contains("more than 60 edges"));
  const ProgramRun no_loss = run_program(
      {"explain",
       write_temporary("no_loss.grad", "model m() {\n  param w: f32[] = 1\n  y = w * 2\n}\n")});
  CHECK(no_loss.exit_code == 1);
  CHECK_THAT(no_loss.err, Contains("no loss"));
}
