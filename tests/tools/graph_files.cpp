// Dumped graphs: the same bytes when dumped again, the same bits when trained.
#include <catch2/catch.hpp>

#include "tests/tools/run_program.h"

using namespace gradc;

TEST_CASE("a dump parses back to the same bytes at every stage") {
  for (const std::string& model : distinct_models())
    for (const std::string stage : {"model", "grad", "optimized", "fused"}) {
      INFO(model << " at " << stage);
      const ProgramRun first = run_program(made_small(model, {"dump", model, "--stage", stage}));
      REQUIRE(first.exit_code == 0);
      const ProgramRun second = run_program({"dump", "-", "--stage", stage}, first.out);
      INFO(second.err);
      REQUIRE(second.exit_code == 0);
      REQUIRE((first.out == second.out));
    }
}

TEST_CASE("training from a dumped graph gives the same loss to the last bit") {
  const std::vector<std::string> flags = {"--epochs", "20", "--json"};
  auto train = [&](const std::string& model, const std::string& input) {
    std::vector<std::string> arguments = {"train", model};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run_program(arguments, input);
  };
  const std::string model = model_path("reference/d1.grad");
  const nlohmann::json direct = train(model, "").last_json();
  for (const std::string stage : {"model", "grad", "optimized", "fused"}) {
    INFO(stage);
    const ProgramRun dumped = run_program({"dump", model, "--stage", stage});
    const ProgramRun run = train("-", dumped.out);
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.last_json().at("loss") == direct.at("loss"));
  }
}

TEST_CASE("fused and unfused training give the same bits") {
  const std::string model = model_path("mnist_mlp.grad");
  auto weights = [&](const std::vector<std::string>& flags, const std::string& name) {
    const std::string out = temporary_path(name);
    std::vector<std::string> arguments = {"train", model, "--set", "steps=12", "--out", out};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    REQUIRE(run_program(arguments).exit_code == 0);
    return read_file(out);
  };
  const std::string fused = weights({}, "fused.safetensors");
  CHECK((fused == weights({"--unfused"}, "unfused.safetensors")));
  CHECK((fused == weights({}, "again.safetensors")));
  CHECK(!(fused == weights({"--seed", "5"}, "other_seed.safetensors")));
}

TEST_CASE("the program stages print something for every kind of model") {
  for (const std::string& model : distinct_models())
    for (const std::string stage : {"plan", "loops", "llvm", "asm"}) {
      INFO(model << " at " << stage);
      const ProgramRun run =
          run_program(made_small(model, {"dump", model, "--stage", stage, "--mode", "train"}));
      CHECK(run.exit_code == 0);
      CHECK(run.out.size() > 100);
    }
}

TEST_CASE("an edited graph file that cannot run is refused, not a bug") {
  const std::string dump =
      run_program({"dump", model_path("reference/d1.grad"), "--stage", "optimized"}).out;
  auto edited = [&](const std::string& from, const std::string& to) {
    std::string text = dump;
    const size_t place = text.find(from);
    REQUIRE(place != std::string::npos);
    return run_program({"train", "-", "--epochs", "1"}, text.replace(place, from.size(), to));
  };
  CHECK(edited("setting batch = 1\n", "").exit_code == 1);
  CHECK(edited("setting batch = 1\n", "setting batch = 0\n").exit_code == 1);
  CHECK(edited("setting batch = 1\n", "setting batch = \"x\"\n").exit_code == 1);
  CHECK(edited("setting shuffle", "setting shufle").exit_code == 1);
  CHECK(edited("output parameter \"hidden.kernel\"", "output parameter \"hidden.colonel\"")
            .exit_code == 1);
  CHECK(run_program({"train", "-", "--set", "eval_batch=0"}, dump).exit_code == 2);
  CHECK(run_program({"train", "-", "--set", "optimizer=adam"}, dump).exit_code == 2);
  // Without settings a file can be looked at, but there is nothing to train.
  CHECK(run_program({"train", "-"}, "graph file x\n").exit_code == 1);
}
