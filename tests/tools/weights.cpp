// gradc weights, and weights of every format where a command takes them.
#include <filesystem>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace {

const std::string& trained() {
  static const std::string path = [] {
    const std::string out = temporary_path("trained.safetensors");
    const ProgramRun run =
        run_program({"train", model_path("reference/d1.grad"), "--epochs", "5", "--out", out});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    return out;
  }();
  return path;
}

std::string converted(const std::string& name) {
  const std::string out = temporary_path(name);
  const ProgramRun run = run_program({"weights", trained(), out});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return out;
}

}  // namespace

TEST_CASE("weights lists names, types and checksums, the same in every format") {
  const ProgramRun list = run_program({"weights", trained()});
  CHECK(list.exit_code == 0);
  CHECK_THAT(list.out, Contains("hidden.kernel") && Contains("f32[2, 2]") && Contains("step") &&
                           Contains(" tensors, "));
  for (const std::string name : {"same.json", "same.npz", "same.safetensors"})
    CHECK(run_program({"weights", converted(name)}).out == list.out);
  const ProgramRun json = run_program({"weights", trained(), "--json"});
  REQUIRE(json.exit_code == 0);
  for (const nlohmann::json& line : json.json_lines())
    CHECK(line.at("checksum").get<std::string>().size() == 32);
}

TEST_CASE("training goes on from every format alike, and writes every format") {
  const auto train = [](const std::string& weights, const std::string& out) {
    const ProgramRun run = run_program({"train", model_path("reference/d1.grad"), "--epochs", "2",
                                        "--weights", weights, "--out", temporary_path(out)});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    return run_program({"weights", temporary_path(out)}).out;
  };
  const std::string expected = train(trained(), "next.safetensors");
  CHECK(train(converted("from.json"), "next.npz") == expected);
  CHECK(train(converted("from.npz"), "next.json") == expected);
  const auto evaluate = [](const std::string& weights) {
    return run_program({"eval", model_path("reference/d1.grad"), "--weights", weights}).out;
  };
  CHECK(evaluate(converted("from.json")) == evaluate(trained()));
  const ProgramRun run = run_program({"run", model_path("reference/d1.grad"), "--feed",
                                      converted("feed.json"), "--fetch", temporary_path("f.npz")});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Contains("E0901"));
}

TEST_CASE("weights of lists without names are those of the model, in its order") {
  const std::string lists =
      write_temporary("lists.json", "[[[0.5, 1.5], [-1, 2]], [0, 0.25], [[1], [-2]], [0.125]]");
  const ProgramRun run = run_program({"run", model_path("reference/d1.grad"), "--weights", lists});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("0.125") && Contains("1.5"));
  const ProgramRun wrong = run_program({"eval", model_path("reference/d1.grad"), "--weights",
                                        write_temporary("few.json", "[[[0.5, 1.5], [-1, 2]]]")});
  CHECK(wrong.exit_code == 1);
  CHECK_THAT(wrong.err, Contains("the file has no") && Contains("hidden.bias"));
}

TEST_CASE("numpy reads what is written, and what it writes is read") {
  const std::string npz = converted("numpy.npz");
  const std::string back = temporary_path("numpy_back.npz");
  const ProgramRun python = run_executable(
      "/usr/bin/python3",
      {"-c",
       "import sys, numpy\n"
       "given = numpy.load(sys.argv[1])\n"
       "numpy.savez_compressed(sys.argv[2], **{name: given[name] for name in given.files})\n",
       npz, back});
  INFO(python.err);
  REQUIRE(python.exit_code == 0);
  CHECK(run_program({"weights", back}).out == run_program({"weights", trained()}).out);
}

TEST_CASE("weights that cannot be read or written say so") {
  const ProgramRun missing = run_program({"weights", temporary_path("missing.npz")});
  CHECK(missing.exit_code == 5);
  CHECK_THAT(missing.err, Contains("E0911") && Contains("missing.npz"));
  const ProgramRun wrong =
      run_program({"weights", write_temporary("wrong.json", "{\"a\": [[1], 2]}")});
  CHECK(wrong.exit_code == 1);
  CHECK_THAT(wrong.err, Contains("E0921") && Contains("tensor `a`"));
  const ProgramRun place = run_program({"weights", trained(), temporary_path("no/folder/w.npz")});
  CHECK(place.exit_code == 5);
  CHECK_THAT(place.err, Contains("E0922"));
}
