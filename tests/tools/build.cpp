// gradc build: programs, objects and libraries that do what gradc does, without it.
#include <sys/stat.h>

#include <filesystem>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace {

using Arguments = std::vector<std::string>;

constexpr const char* kModel = R"(
model small(point: f32[batch, 2], target: f32[batch, 1]) {
  hidden = dropout(dense(point, 8, activation = tanh), 0.25)
  out    = dense(hidden, 1)
  loss   = mean((out - target) ** 2)
  metric error = mean(abs(out - target))
  output value = out
}
train small {
  data = xor
  batch = 3
  epochs = 4
  optimizer = adam(learning_rate = 0.05)
}
)";

std::string small_model() { return write_temporary("small.grad", kModel); }

Arguments joined(Arguments first, const Arguments& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The path of what was built.
std::string built(const std::string& model, const Arguments& flags, const std::string& name) {
  const std::string path = temporary_path(name);
  const ProgramRun run = run_program(joined({"build", model, "-o", path}, flags));
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  return path;
}

/// The lines without what no two runs have in common.
std::vector<nlohmann::json> comparable(const ProgramRun& run) {
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  std::vector<nlohmann::json> lines = run.json_lines();
  for (nlohmann::json& line : lines)
    for (const char* key : {"seconds", "step_ms", "first_step_ms", "compile_ms", "target"})
      line.erase(key);
  return lines;
}

/// Trains with gradc and with the built program and compares losses, metrics, checkpoints.
void check_same_training(const std::string& model, const Arguments& model_flags,
                         const Arguments& run_flags) {
  INFO(model);
  const std::string program = built(model, model_flags, "trainer");
  const Arguments flags = joined(run_flags, {"--json", "--log-every", "1"});
  const std::string ours = temporary_path("built.safetensors");
  const std::string theirs = temporary_path("compiled.safetensors");
  const ProgramRun alone = run_executable(program, joined({"train", "--out", ours}, flags));
  const ProgramRun compiled =
      run_program(joined(joined({"train", model, "--out", theirs}, model_flags), flags));
  CHECK(comparable(alone) == comparable(compiled));
  CHECK(read_file(ours) == read_file(theirs));
}

}  // namespace

TEST_CASE("a built program trains to the bits of gradc train") {
  check_same_training(small_model(), {}, {"--seed", "3", "--threads", "2"});
  for (const char* name : {"reference/c3.grad", "reference/lstm.grad", "gallery/gan.grad",
                           "bench/gpt_char_adamw.grad"}) {
    const std::string model = model_path(name);
    check_same_training(model, made_small(model, {"--batch", "8"}),
                        {"--set", "steps=2", "--seed", "5", "--threads", "1"});
  }
}

TEST_CASE("a built program evaluates, predicts and describes the model as gradc does") {
  const std::string model = small_model();
  const std::string weights = temporary_path("small.safetensors");
  REQUIRE(run_program({"train", model, "--out", weights}).exit_code == 0);
  const std::string program = built(model, {}, "describer");
  for (const Arguments& flags :
       {Arguments{"eval", "--weights", weights, "--json"},
        Arguments{"predict", "--weights", weights}, Arguments{"predict", "--rows", "1,3"},
        Arguments{"summary"}, Arguments{"summary", "--json"}}) {
    INFO(flags.front());
    Arguments compiled = flags;
    compiled.insert(compiled.begin() + 1, model);
    const ProgramRun alone = run_executable(program, flags);
    CHECK(alone.exit_code == 0);
    CHECK(alone.out == run_program(compiled).out);
  }
  const ProgramRun info = run_executable(program, {"info", "--json"});
  CHECK(info.last_json().at("model") == "small");
  CHECK_THAT(info.out, Contains(R"("program":"train","rows":3)") &&
                           Contains(R"("program":"train","rows":1)"));
  CHECK_THAT(run_executable(program, {"help"}).out, Contains("train") && !Contains("dump"));
}

TEST_CASE("weights are built in, and training is left out on request") {
  const std::string model = small_model();
  const std::string weights = temporary_path("built_in.safetensors");
  REQUIRE(run_program({"train", model, "--out", weights}).exit_code == 0);
  const std::string expected = run_program({"predict", model, "--weights", weights}).out;
  const std::string whole = built(model, {"--weights", weights}, "whole");
  CHECK(run_executable(whole, {"predict"}).out == expected);
  const std::string predictor =
      built(model, {"--weights", weights, "--entry", "predict"}, "predictor");
  CHECK(run_executable(predictor, {"predict"}).out == expected);
  const ProgramRun train = run_executable(predictor, {"train"});
  CHECK(train.exit_code == 1);
  CHECK_THAT(train.err, Contains("E0927") && Contains("without train programs"));
  const std::string bare = built(model, {"--entry", "predict"}, "bare");
  const ProgramRun without = run_executable(bare, {"predict"});
  CHECK(without.exit_code == 2);
  CHECK_THAT(without.err, Contains("--weights"));
  CHECK(run_executable(bare, {"predict", "--weights", weights}).out == expected);
}

TEST_CASE("names that differ in case or signs alone are different constants") {
  const std::string model = write_temporary("alike.grad", R"(
model alike(x: f32[batch], X: f32[batch], `x ` : f32[batch]) {
  output o = x + X
  output O = x * `x `
}
)");
  const std::string object = built(model, {"--emit", "obj", "--data", "noise"}, "alike.o");
  const std::string header = read_file(temporary_path("alike.h"));
  CHECK_THAT(header, Contains("ALIKE_INPUT_X = 0") && Contains("ALIKE_INPUT_X_1 = 1") &&
                         Contains("ALIKE_INPUT_X_ = 2") && Contains("ALIKE_OUTPUT_O_1 = 1"));
  const std::string program =
      write_temporary("alike.c", "#include \"alike.h\"\nint x = ALIKE_INPUT_X_;\n");
  CHECK(run_executable("/usr/bin/cc", {"-c", program, "-I", GRADC_SOURCE_DIR "/runtime", "-o",
                                       temporary_path("alike_c.o")})
            .exit_code == 0);
}

TEST_CASE("a model that comes through stdin is built as it is") {
  const std::string path = temporary_path("from_stdin");
  const ProgramRun run = run_program({"build", "-", "-o", path}, read_file(small_model()));
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run_executable(path, {"train", "--epochs", "1"}).exit_code == 0);
}

TEST_CASE("rows that were not compiled are refused before the first step") {
  const std::string program = built(small_model(), {"--set", "batch=2"}, "pairs");
  const ProgramRun run = run_executable(program, {"train", "--val-split", "0.25", "--json"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Contains("E0927"));
  CHECK_THAT(run.out, !Contains("epoch"));
}

TEST_CASE("what is compiled in cannot be changed") {
  const std::string program = built(small_model(), {}, "fixed");
  const auto refused = [&](const std::string& executable, const Arguments& flags, int exit_code) {
    const ProgramRun run = run_executable(executable, joined({"train"}, flags));
    CHECK(run.exit_code == exit_code);
    return run.err;
  };
  CHECK_THAT(refused(program, {"--batch", "2"}, 1),
             Contains("E0927") && Contains("train programs for 3 and 1 rows, not for 2"));
  CHECK_THAT(refused(program, {"--set", "optimizer=sgd()"}, 2), Contains("part of this program"));
  CHECK_THAT(refused(program, {"--set", "epoch=3"}, 2), Contains("did you mean `epochs`?"));
  CHECK_THAT(refused(program, {"--data", "digits"}, 1), Contains("E0901"));
  refused(program, {"--epochs", "2"}, 0);

  std::string scheduled = kModel;
  const std::string rate = "learning_rate = 0.05";
  scheduled.replace(scheduled.find(rate), rate.size(),
                    "learning_rate = cosine_decay(0.05, total = total_steps)");
  const std::string model = write_temporary("scheduled.grad", scheduled);
  const std::string with_schedule = built(model, {}, "scheduled");
  CHECK_THAT(refused(with_schedule, {"--epochs", "2"}, 2),
             Contains("`epochs` is compiled in") && Contains("length of the run"));
  refused(with_schedule, {"--epochs", "4"}, 0);
}

TEST_CASE("the kernels can be read, with the lines of the model they come from") {
  const std::string model = small_model();
  const std::string ir = read_file(built(model, {"--emit", "llvm"}, "small.ll"));
  CHECK_THAT(ir, Contains("define void @small.") && Contains("small.grad:3") && Contains("; dot"));
  const std::string assembly = read_file(built(model, {"--emit", "asm"}, "small.s"));
  CHECK_THAT(assembly, Contains("small.grad:6") && Contains("# dot") && Contains("vfmadd"));
}

TEST_CASE("the loops alone make a program that needs no shared library") {
  if (kIsSanitized) return;  // sanitizers are shared libraries
  const std::string program =
      built(small_model(), {"--static", "--backend", "llvm", "--target", "x86-64-v2"}, "static");
  CHECK_THAT(run_executable("/usr/bin/ldd", {program}).err, Contains("not a dynamic executable"));
  const ProgramRun run = run_executable(program, {"train", "--json"});
  CHECK(run.last_json().at("steps") == 8);
  const ProgramRun refused =
      run_program({"build", small_model(), "-o", temporary_path("x"), "--static"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains("--backend llvm"));
}

TEST_CASE("a processor without what the code needs is told so, or served by another part") {
  const char* const emulator = "/usr/bin/qemu-x86_64";
  if (kIsSanitized) return;
  if (!std::filesystem::exists(emulator)) {
    WARN("skipped: no qemu-user");
    return;
  }
  const Arguments common = {"--static", "--backend", "llvm", "--target"};
  const auto run_on_haswell = [&](const std::string& target, const std::string& name) {
    const std::string program = built(small_model(), joined(common, {target}), name);
    // Where this is set, the program does not execute itself again, which would leave the emulator.
    return run_executable("/usr/bin/env", {"GOMP_SPINCOUNT=1", emulator, "-cpu", "Haswell-noTSX",
                                           program, "train", "--threads", "1"});
  };
  const ProgramRun v4 = run_on_haswell("x86-64-v4", "v4");
  CHECK(v4.exit_code == 5);
  CHECK_THAT(v4.err,
             Contains("E0925") && Contains("compiled for x86-64-v4") && Contains("has no avx512f"));
  const ProgramRun both = run_on_haswell("x86-64-v3,x86-64-v4", "v34");
  INFO(both.err);
  CHECK(both.exit_code == 0);
}

TEST_CASE("a build that fails says why and leaves nothing") {
  const std::string model = small_model();
  const std::string out = temporary_path("unbuilt");
  const auto failed = [&](const Arguments& environment, const Arguments& flags, int exit_code) {
    const ProgramRun run = run_executable(
        "/usr/bin/env", joined(joined(environment, {GRADC_PROGRAM, "build", model}), flags));
    CHECK(run.exit_code == exit_code);
    CHECK_FALSE(std::filesystem::exists(out));
    return run.err;
  };
  CHECK_THAT(failed({"PATH=/nonexistent"}, {"-o", out}, 5), Contains("E0929") && Contains("cc"));
  CHECK_THAT(failed({}, {"-o", "/nonexistent/out"}, 5), Contains("E0922"));
  CHECK_THAT(failed({}, {"-o", out, "--target", "z80"}, 2), Contains("no target `z80`"));
  CHECK_THAT(failed({}, {"-o", out, "--weights", "/nonexistent"}, 5), Contains("E0911"));
  // A linker that fails, and one that does not find oneDNN.
  const std::string folder = temporary_path("tools");
  std::filesystem::create_directories(folder);
  const auto fake_linker = [&](const std::string& said) {
    const std::string path =
        write_temporary("tools/cc", "#!/bin/sh\necho '" + said + "'\nexit 1\n");
    chmod(path.c_str(), 0700);
  };
  fake_linker("/usr/bin/ld: cannot find -ldnnl: No such file or directory");
  CHECK_THAT(failed({"PATH=" + folder}, {"-o", out}, 5),
             Contains("E0931") && Contains("install libdnnl-dev"));
  fake_linker("final link failed: No space left on device");
  CHECK_THAT(failed({"PATH=" + folder}, {"-o", out}, 5), Contains("the disk is full"));
  CHECK_THAT(failed({}, {"-o", "/dev/full", "--emit", "obj", "--header", out}, 5),
             Contains("No space left"));
}

TEST_CASE("ld.lld links where there is no cc") {
  const char* const lld = "/usr/bin/ld.lld";
  if (kIsSanitized) return;
  if (!std::filesystem::exists(lld)) {
    WARN("skipped: no ld.lld");
    return;
  }
  const std::string folder = temporary_path("lld");
  std::filesystem::create_directories(folder);
  std::error_code ignored;
  std::filesystem::create_symlink(lld, folder + "/ld.lld", ignored);
  const std::string path = "PATH=" + folder;
  const std::string program = temporary_path("linked_by_lld");
  for (const Arguments& flags :
       {Arguments{}, Arguments{"--static", "--backend", "llvm"}, Arguments{"--emit", "shared"}}) {
    const ProgramRun run =
        run_executable("/usr/bin/env",
                       joined({path, GRADC_PROGRAM, "build", small_model(), "-o", program}, flags));
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    if (flags.empty() || flags.front() == "--static")
      CHECK(run_executable(program, {"train"}).exit_code == 0);
  }
}
