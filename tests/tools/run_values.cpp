// `gradc run` without files: values of a model printed.
#include <catch2/catch.hpp>

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
train chain { optimizer = sgd(0.5) }
)";

}  // namespace

TEST_CASE("run prints the names of a model without inputs, and the gradients") {
  const std::string model = write_temporary("run_chain.grad", kChain);
  const ProgramRun run = run_program({"run", model, "--gradients"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());  // no warnings of names that are shown
  CHECK(run.out ==
        "w: f32[] = 3\nb: f32[] = 1\nx: f32[] = 2\ny: f32[] = 4\nx1: f32[] = 6\nx2: f32[] = 7\n"
        "loss: f32[] = 3\ngrad/w: f32[] = 2\ngrad/b: f32[] = 1\n");
  const ProgramRun trained = run_program({"run", model, "--steps", "1"});
  CHECK_THAT(trained.out, Contains("w: f32[] = 2\nb: f32[] = 0.5\n"));
  CHECK_THAT(trained.out, Contains("loss: f32[] = 0.5\n"));
}

TEST_CASE("run reads the first rows of the data") {
  const ProgramRun run = run_program({"run", model_path("reference/d1.grad"), "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  for (const nlohmann::json& line : run.json_lines()) {
    CHECK(line.at("name").is_string());
    CHECK(line.contains("value"));
  }
}

TEST_CASE("matrices are aligned, long axes shortened") {
  const std::string model = write_temporary("matrices.grad", R"(
model matrices() {
  a = tensor([[1, -20], [3, 4]], dtype = f32)
  long = convert(iota(20), f64)
  cube = reshape(iota(8), [2, 2, 2])
  truth = a > 0
}
)");
  const ProgramRun run = run_program({"run", model});
  INFO(run.err);
  CHECK(run.out ==
        "a: f32[2, 2] =\n[[  1, -20],\n [  3,   4]]\n"
        "long: f64[20] = [0, 1, 2, ..., 17, 18, 19]\n"
        "cube: i32[2, 2, 2] =\n[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]\n"
        "truth: bool[2, 2] =\n[[ true, false],\n [ true,  true]]\n");
}
