// Pictures: that every kind is written and holds what it should, and what is refused.
#include "runtime/png.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

namespace {

const char* const kTwoBranches = R"(
model two(image: u8[batch, 28, 28], label: u8[batch]) {
  x      = flatten(image) / 255
  left   = dropout(relu(dense(x, 16)), 0.5)
  right  = dense(x, 16, activation = tanh)
  joined = left + right
  logits = dense(joined, 10)
  loss = mean(sparse_categorical_crossentropy(logits, label))
  output probabilities = softmax(logits)
}
)";

const char* const kLog = R"({"event":"start","model":"m","seed":0,"rows":100}
{"event":"batch","epoch":0,"batch":0,"loss":2.3}
{"event":"batch","epoch":0,"batch":5,"loss":1.9}
{"event":"epoch","epoch":1,"loss":1.5,"accuracy":0.6,"steps":10,"seconds":1.0}
{"event":"epoch","epoch":2,"loss":0.7,"accuracy":0.8,"steps":20,"seconds":1.0}
{"event":"end","loss":0.7,"accuracy":0.8,"test_loss":0.9,"test_accuracy":0.75,"steps":20}
)";

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("plot draws the layers with their shapes, as SVG, PNG and DOT") {
  const std::string model = write_temporary("two.grad", kTwoBranches);
  for (const char* name : {"two.svg", "two.png", "two.dot"}) {
    const ProgramRun run = run_program({"plot", model, "-o", temporary_path(name)});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
  }
  const std::string svg = read_file(temporary_path("two.svg"));
  CHECK_THAT(svg, Contains(">image (data)<"));
  CHECK_THAT(svg, Contains(">right (dense)<"));
  CHECK_THAT(svg, Contains(">left + right<"));
  CHECK_THAT(svg, Contains(">input:  (None, 16), (None, 16)<"));
  CHECK_THAT(svg, Contains(">output: (None, 784)<"));
  CHECK_THAT(svg, Contains(">probabilities (output)<"));
  CHECK_THAT(svg, !Contains("crossentropy"));  // not on the way to the output
  // image, flatten, /, dense, relu, dropout, dense, +, dense, softmax, the output: 11 boxes; an
  // arrow into each but the first, two into the sum
  CHECK(count(svg, "font-weight=\"bold\"") == 11);
  CHECK(count(svg, "<polygon") == 11);
  const PngFile picture(temporary_path("two.png"));
  REQUIRE(picture.shape().rank() == 3);
  CHECK(picture.shape()[1] > 400);
  Tensor pixels(DType::U8, picture.shape());
  picture.read(pixels.raw());
  const auto bytes = pixels.span<uint8_t>();
  CHECK(std::set<uint8_t>(bytes.begin(), bytes.end()).size() > 50);
  const std::string dot = read_file(temporary_path("two.dot"));
  CHECK(count(dot, "->") == 11);
  CHECK_THAT(dot, Contains("right (dense)\\ninput:  (None, 784)\\noutput: (None, 16)"));
}

TEST_CASE("plot takes free dimensions from the data of the train block") {
  const std::string model = write_temporary("free.grad", R"(
model free(point: f32[batch, width], target: f32[batch, 1]) {
  output guess = dense(point, 1)
  loss = mean(square(guess - target))
}
train free { data = xor; optimizer = sgd(0.1) }
)");
  const ProgramRun run = run_program({"plot", model, "-o", temporary_path("free.svg")});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(read_file(temporary_path("free.svg")), Contains(">input:  (None, 2)<"));
}

TEST_CASE("plot --log draws curves of losses and metrics") {
  const std::string log = write_temporary("run.jsonl", kLog);
  for (const char* name : {"curves.svg", "curves.png"})
    REQUIRE(run_program({"plot", "--log", log, "-o", temporary_path(name)}).exit_code == 0);
  const std::string svg = read_file(temporary_path("curves.svg"));
  for (const char* name : {"loss", "loss of batches", "accuracy", "test_loss", "test_accuracy"})
    CHECK_THAT(svg, Contains(std::string(">") + name + "<"));
  CHECK_THAT(svg, !Contains("seconds"));
  CHECK_THAT(svg, !Contains("steps"));
  const std::string cut = write_temporary("cut.jsonl", std::string(kLog) + "{\"event\":\"epo");
  REQUIRE(run_program({"plot", "--log", cut, "-o", temporary_path("cut.svg")}).exit_code == 0);
  CHECK(read_file(temporary_path("cut.svg")) == svg);
}

TEST_CASE("plot says what it cannot do") {
  const std::string model = write_temporary("two.grad", kTwoBranches);
  const auto plot = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"plot"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all);
  };
  const ProgramRun ending = plot({model, "-o", temporary_path("two.pdf")});
  CHECK(ending.exit_code == 2);
  CHECK_THAT(ending.err, Contains(".svg, .png or .dot"));
  CHECK(plot({model}).exit_code == 2);
  CHECK(plot({"-o", "x.svg"}).exit_code == 2);
  CHECK(plot({model, "--log", model, "-o", "x.svg"}).exit_code == 2);
  for (const char* name : {"no/folder/two.svg", "no/folder/two.png", "no/folder/two.dot"}) {
    const ProgramRun unwritable = plot({model, "-o", temporary_path(name)});
    CHECK(unwritable.exit_code == 5);
    CHECK_THAT(unwritable.err, Contains("E0922"));
  }
  const ProgramRun no_log = plot({"--log", model, "-o", temporary_path("x.svg")});
  CHECK(no_log.exit_code == 1);
  CHECK_THAT(no_log.err, Contains("two.grad:2"));
  CHECK_THAT(no_log.err, Contains("train --json"));
  const std::string empty = write_temporary("empty.jsonl", "{\"event\":\"start\"}\n");
  CHECK(plot({"--log", empty, "-o", temporary_path("x.svg")}).exit_code == 1);
  const std::string odd = write_temporary("odd.jsonl", "{\"event\":\"epoch\",\"loss\":1}\n");
  CHECK(plot({"--log", odd, "-o", temporary_path("x.svg")}).exit_code == 1);
  CHECK(plot({"--log", "no/such.jsonl", "-o", temporary_path("x.svg")}).exit_code == 5);
  CHECK(plot({"--log", empty, "-o", "x.dot"}).exit_code == 2);
}

TEST_CASE("dump draws one graph as SVG and prints each as JSON") {
  const std::string model = write_temporary("two.grad", kTwoBranches);
  const ProgramRun svg =
      run_program({"dump", model, "--stage", "model", "--mode", "predict", "--format", "svg"});
  INFO(svg.err);
  CHECK(svg.exit_code == 0);
  CHECK_THAT(svg.out, Contains(">dot<"));
  CHECK(run_program({"dump", model, "--format", "svg"}).exit_code == 2);
  const ProgramRun json = run_program({"dump", model, "--mode", "predict", "--format", "json"});
  const nlohmann::json graph = json.last_json();
  CHECK(graph.at("mode") == "predict");
  CHECK(graph.at("outputs").at(0).at("name") == "probabilities");
  CHECK(graph.at("nodes").size() > 5);
}
