// The comments of dump --stage fused.
#include <catch2/catch.hpp>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

TEST_CASE("a fused dump says what each group saves") {
  // Three ops in a row: tanh, times w, the largest. Unfused they read x; its tanh and w; the
  // product, and write tanh, product and result: 24 KiB. Fused they read x and w and write the
  // result: 8 KiB.
  const std::string model = write_temporary("chain.grad", R"(
model chain(x: f32[batch, 1024]) {
  param w: f32[1024] = ones
  loss = max(tanh(x) * w)
}
train chain {
  data  = noise(rows = 1)
  batch = 1
}
)");
  const ProgramRun run =
      run_program({"dump", model, "--stage", "fused", "--mode", "evaluate", "--rows", "1"});
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("# evaluate rows=1: bytes that each group saves"));
  CHECK_THAT(run.out, Contains("16.0 KiB"));
  const ProgramRun unfused = run_program(
      {"dump", model, "--stage", "fused", "--mode", "evaluate", "--rows", "1", "--unfused"});
  CHECK_THAT(unfused.out, Contains("#   all rounds: 0 B"));
}
