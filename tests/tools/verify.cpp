// gradc verify: of every shipped model, and of a planted fault.
#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("every shipped model verifies; a wrong derivative is found and named") {
#ifdef __SANITIZE_ADDRESS__
  const std::vector<std::string> models = distinct_models();
#else
  const std::vector<std::string> models = shipped_models();
#endif
  for (const std::string& model : models) {
    const ProgramRun run = run_program(made_small(model, {"verify", model, "--rows", "3"}));
    INFO(model << "\n" << run.out << run.err);
    CHECK(run.exit_code == 0);
  }
  const ProgramRun planted =
      run_program({"verify", model_path("mnist_mlp.grad"), "--corrupt-derivative", "maximum"});
  CHECK(planted.exit_code == 3);
  CHECK(planted.out.find("derivative of `maximum`") != std::string::npos);
}
