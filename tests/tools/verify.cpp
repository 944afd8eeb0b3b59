// gradc verify: of shipped models, and of planted faults, which are found again in what it writes.
#include <filesystem>

#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("shipped models verify") {
  for (const std::string& model : distinct_models()) {
    const ProgramRun run = run_program(made_small(
        model, {"verify", model, "--rows", "3", "--reproducer", temporary_path("found")}));
    INFO(model << "\n" << run.out << run.err);
    CHECK(run.exit_code == 0);
  }
}

namespace {

constexpr const char* kModel = R"(
model small(point: f32[batch, 6], target: f32[batch, 3]) {
  hidden = tanh(dense(dropout(point, 0.25), 5))
  out    = dense(hidden, 3)
  loss   = mean((out - target) ** 2)
  output value = out
}
train small {
  data      = noise(rows = 12)
  batch     = 6
  optimizer = adam(learning_rate = 0.05)
}
)";

struct Reproducer {
  ProgramRun first, again;  // verify of the model, and of what it wrote
  std::string graph;
};

/// Plants a fault, finds it, and finds it again in what is written.
Reproducer reproduced(const std::vector<std::string>& fault, const std::string& check) {
  const std::string folder = temporary_path("reproducers-" + check);
  const std::string model = write_temporary("small.grad", kModel);
  std::vector<std::string> flags = {"verify", model, "--reproducer", folder};
  flags.insert(flags.end(), fault.begin(), fault.end());
  Reproducer made;
  made.first = run_program(flags);
  const std::string path = folder + "/small-" + check;
  std::string quoted = "gradc verify " + path + ".graph --feed " + path + ".safetensors";
  for (const std::string& flag : fault) quoted += " " + flag;
  INFO(made.first.out << made.first.err);
  REQUIRE(made.first.exit_code == 3);
  REQUIRE(made.first.out.find(quoted + "\n") != std::string::npos);
  std::vector<std::string> command = {"verify",       path + ".graph",
                                      "--feed",       path + ".safetensors",
                                      "--reproducer", folder + "/again"};
  CHECK(run_program(command).exit_code == 0);
  command.insert(command.end(), fault.begin(), fault.end());
  made.again = run_program(command);
  made.graph = read_file(path + ".graph");
  CHECK(made.again.exit_code == 3);
  return made;
}

int64_t count(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a wrong derivative is named and cut out") {
  const Reproducer made = reproduced({"--corrupt-derivative", "tanh"}, "gradients");
  CHECK(made.first.out.find("derivative of `tanh`") != std::string::npos);
  CHECK(made.again.out.find("derivative of `tanh`") != std::string::npos);
  CHECK(count(made.graph, "tanh(") == 1);
  CHECK(count(made.graph, "\n") < 20);
}

TEST_CASE("wrong code of an op is found inside its group and cut out with one node") {
  const Reproducer made = reproduced({"--corrupt-kernel", "tanh"}, "compiled-code");
  CHECK(made.first.out.find("tanh") != std::string::npos);
  CHECK(made.graph.find("[1, 5]") != std::string::npos);  // as few rows as there can be
  CHECK(count(made.graph, "input data") == 1);
  CHECK(count(made.graph, ") : ") + count(made.graph, "} : ") <= 2);
}

TEST_CASE("a wrong pass is named and cut out") {
  const Reproducer made = reproduced({"--corrupt-pass", "fold"}, "passes");
  CHECK(made.first.out.find("pass fold") != std::string::npos);
  CHECK(made.again.out.find("pass fold") != std::string::npos);
  CHECK(count(made.graph, "\n") < 12);
}

TEST_CASE("verify trains on and compares each step") {
  const std::string model = write_temporary("small.grad", kModel);
  const ProgramRun run = run_program({"verify", model, "--steps", "5"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.out.find("5 training steps") != std::string::npos);
}

TEST_CASE("a feed without a tensor, or of another type, is refused") {
  const std::string graph = write_temporary("one.graph", R"(graph file one
graph run "one" rows=2 {
  %0 = input data "x" : f32[2]
  %1 = exp(%0) : f32[2]
  output output "y" = %1
}
)");
  reproduced({"--corrupt-kernel", "tanh"}, "compiled-code");
  const std::string other =
      temporary_path("reproducers-compiled-code") + "/small-compiled-code.safetensors";
  const ProgramRun run = run_program({"verify", graph, "--feed", other});
  CHECK(run.exit_code == 1);
  CHECK(run.err.find("E0901") != std::string::npos);
  const std::string model = write_temporary("small.grad", kModel);
  CHECK(run_program({"verify", model, "--feed", other}).exit_code == 2);
}

namespace {

ProgramRun verified(const std::string& name, const std::string& text,
                    const std::vector<std::string>& flags = {}) {
  std::vector<std::string> command = {"verify", write_temporary(name + ".grad", text),
                                      "--reproducer", temporary_path("found")};
  command.insert(command.end(), flags.begin(), flags.end());
  return run_program(command);
}

/// A dense layer whose every float is `dtype`.
std::string dense_of(const std::string& dtype) {
  return "model narrow(x: " + dtype + "[batch, 4], y: " + dtype + R"([batch, 3]) {
  loss = mean(square(dense(x, 3, activation = tanh) - y))
}
train narrow { data = noise(rows = 64); batch = 16; optimizer = sgd(0.1) }
)";
}

}  // namespace

TEST_CASE("verify leaves out the rows that fill no batch") {
  const ProgramRun run = verified("ragged", R"(
model ragged(x: f32[batch, 3]) { loss = mean(square(dense(x, 2))) }
train ragged { data = noise(rows = 37); batch = 19; optimizer = sgd(0.1) }
)",
                                  {"--rows", "19", "--steps", "3"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("verify takes the rows that it is told to, or refuses") {
  const ProgramRun more = verified("rows", dense_of("f32"), {"--rows", "33"});
  CHECK(more.exit_code == 0);
  CHECK(more.out.find("train graph, 33 rows") != std::string::npos);
  const ProgramRun too_many = verified("rows", dense_of("f32"), {"--rows", "65"});
  CHECK(too_many.exit_code == 1);
  CHECK(too_many.err.find("E0905") != std::string::npos);
}

TEST_CASE("derivatives are checked where floats are narrow") {
  for (const std::string dtype : {"bf16", "f16", "f32"}) {
    INFO(dtype);
    CHECK(verified("narrow", dense_of(dtype)).exit_code == 0);
    const ProgramRun wrong = verified("narrow", dense_of(dtype), {"--corrupt-derivative", "tanh"});
    INFO(wrong.out << wrong.err);
    CHECK(wrong.exit_code == 3);
    CHECK(wrong.out.find("derivative of `tanh`") != std::string::npos);
  }
  const ProgramRun rounded = verified("rounded", R"(
model rounded(x: f32[batch, 4]) {
  param w: f32[4] = ones
  loss = mean(square(convert(x * w, bf16)))
}
train rounded { data = noise(rows = 64); batch = 16; optimizer = sgd(0.1) }
)");
  INFO(rounded.out << rounded.err);
  CHECK(rounded.exit_code == 0);
}

TEST_CASE("means of f16 agree however many rows they have") {
  const ProgramRun run = verified("centred", R"(
model centred(x: f16[batch, 64]) {
  param w: f16[] = 64
  h = x * w
  centred = h - mean(h, axis = 0, keep = true)
  loss = mean(abs(centred))
}
train centred { data = noise(rows = 2048); batch = 2048; optimizer = sgd(0.1) }
)",
                                  {"--rows", "2048"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("what is left where large terms cancel is compared by their roundings") {
  const ProgramRun run = verified("cancelling", R"(
model cancelling(x: f32[batch, 8], y: f32[batch, 1]) {
  h = batch_norm(dense(x, 16))
  loss = mean(square(dense(relu(h), 1) - y))
}
train cancelling { data = noise(rows = 64); batch = 16; optimizer = sgd(0.1) }
)",
                                  {"--rows", "15", "--steps", "4"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("a loss that is no number is called so") {
  const ProgramRun run = verified("no_number", R"(
model no_number(x: f32[batch, 4]) {
  param w: f32[4] = ones
  loss = mean(log(w * (-1) + 0 * x))
}
train no_number { data = noise(rows = 8); batch = 8; optimizer = sgd(0.1) }
)");
  INFO(run.out << run.err);
  CHECK(run.exit_code == 3);
  CHECK(run.out.find("the loss is not a number there") != std::string::npos);
}

TEST_CASE("faults that cannot be planted are refused") {
  for (const std::vector<std::string>& fault :
       std::vector<std::vector<std::string>>{{"--corrupt-kernel", "dot"},
                                             {"--corrupt-pass", "fuse"},
                                             {"--corrupt-derivative", "sin"}}) {
    const ProgramRun run = verified("small", kModel, fault);
    INFO(run.out << run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(fault[0] + " " + fault[1]) != std::string::npos);
  }
}

TEST_CASE("integers are compared exactly") {
  const ProgramRun run = verified("large", R"(
model large(x: f32[batch, 4]) {
  k = convert(x, i64)
  output below = (k * k + 1) * 1152921504606846976 - 1
}
train large { data = noise(rows = 8); batch = 8 }
)",
                                  {"--corrupt-kernel", "sub"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 3);
}

TEST_CASE("the command that shows a fault again can be copied into a shell") {
  const std::string folder = temporary_path("it's a folder");
  const std::string model = write_temporary("small.grad", kModel);
  const ProgramRun run =
      run_program({"verify", model, "--reproducer", folder, "--corrupt-kernel", "tanh"});
  INFO(run.out << run.err);
  CHECK(run.out.find("it'\\''s a folder/small-compiled-code.graph' --feed '") != std::string::npos);
}
