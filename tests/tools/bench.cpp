// What gradc bench prints; no times, which depend on the machine.
#include <catch2/catch.hpp>

#include "tests/tools/run_program.h"

using namespace gradc;

TEST_CASE("noise feeds a model that names no data of its own") {
  const ProgramRun run = run_program({"eval", model_path("reference/d2.grad"), "--data",
                                      "noise(rows = 20)", "--json", "--batch", "10"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.last_json().at("loss").is_number());
}
