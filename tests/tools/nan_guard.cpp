// Values that stop being numbers: found in the step where it happens, with the node and its line.
#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "runtime/weights_file.h"
#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr const char* kModel = R"(
model watched(x: f32[batch, 6, 5], target: f32[batch, 4]) {
  heard = lstm(x, 4)
  h     = dropout(dense(layer_norm(heard), 8, activation = gelu), 0.2)
  y     = dense(h, 4, activation = tanh)
  loss  = mean((y - target) ** 2)
}
train watched {
  data      = noise(rows = 32)
  batch     = 8
  epochs    = 3
  optimizer = adam(learning_rate = 1e-3)
}
)";

constexpr int64_t kSteps = 12;

/// The graph with select(step == `step`, NaN, v) in the place of value `chosen`, at its origin.
Graph poisoned(const Graph& graph, ValueId chosen, int64_t step) {
  Rewriter rewriter(graph);
  GraphBuilder& builder = rewriter.builder();
  for (const Node& node : graph.nodes()) {
    rewriter.copy(node);
    if (node.results.front() != chosen) continue;
    builder.set_origin(node.origin);
    const Type type = graph.type(chosen);
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      if (graph.inputs()[i].kind != InputKind::Step) continue;
      const ValueId input = rewriter.map(Graph::input_value(i));
      const ValueId number =
          builder.constant(Tensor::scalar(DType::I64, static_cast<double>(step)));
      const ValueId is_now = builder.broadcast(
          builder.add(OpKind::Equal, {builder.reshape(input, Shape{}), number}), type.shape, {});
      const ValueId nan = builder.fill(type, std::numeric_limits<double>::quiet_NaN());
      const ValueId old = rewriter.map(chosen);
      rewriter.replace(chosen, builder.select(is_now, nan, old));
    }
  }
  return std::move(rewriter).finish();
}

/// Float values with a place in the model that all reach a loss or a parameter unmasked.
std::vector<ValueId> candidates(const Graph& graph) {
  std::vector<ValueId> found;
  for (const Node& node : graph.nodes()) {
    const ValueId value = node.results.front();
    if (node.results.size() == 1 && is_float(graph.type(value).dtype) && node.origin != nullptr &&
        node.kind != OpKind::Constant)
      found.push_back(value);
  }
  return found;
}

/// Does a NaN there reach a loss or a new value of state? Masks may keep it away.
bool is_felt(const Graph& graph, ValueId chosen) {
  const Graph changed = poisoned(graph, chosen, 0);
  std::vector<Tensor> inputs;
  std::mt19937 random(7);
  std::uniform_real_distribution<double> number(0.1, 0.9);
  for (size_t i = 0; i < changed.inputs().size(); ++i) {
    Tensor value(changed.type(Graph::input_value(i)));
    for (int64_t k = 0; is_float(value.dtype()) && k < value.size(); ++k)
      value.set(k, number(random));
    inputs.push_back(std::move(value));
  }
  const std::vector<Tensor> outputs = interpret(changed, inputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputKind kind = changed.outputs()[i].kind;
    if (kind != OutputKind::Loss && !updated_input_kind(kind)) continue;
    for (int64_t k = 0; k < outputs[i].size(); ++k)
      if (std::isnan(outputs[i].at(k))) return true;
  }
  return false;
}

void check_injections(int count) {
  const std::string path = write_temporary("watched.grad", kModel);
  const ProgramRun dumped = run_program({"dump", path, "--stage", "optimized"});
  REQUIRE(dumped.exit_code == 0);
  Module module = parse_module(dumped.out, "watched.graph");
  const auto train =
      std::find_if(module.graphs.begin(), module.graphs.end(),
                   [](const Graph& graph) { return graph.mode == GraphMode::Train; });
  REQUIRE(train != module.graphs.end());
  const Graph graph = *train;
  const std::vector<ValueId> values = candidates(graph);
  REQUIRE(values.size() > 50);
  std::mt19937 random(11);
  for (int done = 0; done < count;) {
    const ValueId chosen = values[random() % values.size()];
    const auto step = static_cast<int64_t>(random() % kSteps);
    if (!is_felt(graph, chosen)) continue;
    ++done;
    *train = poisoned(graph, chosen, step);
    const ProgramRun run =
        run_program({"train", write_temporary("poisoned.graph", print(module)), "--json"});
    const Node& node = *graph.defining_node(chosen);
    INFO("step " << step << ", " << print_node(graph, node) << "\n" << run.err);
    CHECK(run.exit_code == 4);
    const std::string moment =
        "epoch " + std::to_string(step / 4 + 1) + ", step " + std::to_string(step % 4 + 1) + " ";
    CHECK(run.err.find(moment) != std::string::npos);
    const std::string place = "(" + node.origin->file + ":" + std::to_string(node.origin->line) +
                              ":" + std::to_string(node.origin->column);
    CHECK(run.err.find("first in `") != std::string::npos);
    CHECK(run.err.find(place) != std::string::npos);
  }
}

/// The first step makes the slope too large for the second.
std::string write_large() {
  write_temporary("large.csv", "x,y\n1,2\n1e30,4\n3,4\n5,6\n");
  return write_temporary("large.grad", R"(
model line(x: f32[batch], y: f32[batch]) {
  param slope: f32[] = zeros
  loss = mean((slope * x - y) ** 2)
}
train line {
  data      = csv("large.csv")
  batch     = 2
  epochs    = 2
  shuffle   = false
  optimizer = sgd(learning_rate = 0.1)
}
)");
}

}  // namespace

TEST_CASE("a NaN in any node and step is reported in that step, with the node's line") {
  check_injections(8);
}

TEST_CASE("a NaN in 100 nodes and steps", "[.long]") { check_injections(100); }

TEST_CASE("numbers that grow too large are named; their steps are left out on request") {
  const std::string model = write_large();
  const ProgramRun run = run_program({"train", model});
  INFO(run.err);
  CHECK(run.exit_code == 4);
  CHECK(run.err.find("`loss` is inf in epoch 1, step 2 ") != std::string::npos);
  CHECK(run.err.find("large.grad:4:") != std::string::npos);
  const ProgramRun skipped = run_program({"train", model, "--on-nan", "skip", "--json"});
  INFO(skipped.err);
  CHECK(skipped.exit_code == 0);
  CHECK(skipped.out.find("\"event\":\"nan\"") != std::string::npos);
  const ProgramRun back = run_program(
      {"train", model, "--on-nan", "rollback", "--run", temporary_path("rolled_back"), "--json"});
  INFO(back.err);
  CHECK(back.exit_code == 0);
  // Of the two steps of an epoch each first is good, and undone by the rollback to the start.
  CHECK(back.last_json().at("steps") == 0);
  CHECK(run_program({"train", model, "--on-nan", "later"}).exit_code == 2);
}

TEST_CASE("a step that is left out is told of once, however often it is done again") {
  const std::string model = write_large();
  const std::string folder = temporary_path("left_out");
  const auto train = [&](const std::string& epochs, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"train", model, "--on-nan=skip", "--run", folder, epochs});
    REQUIRE(run_program(flags).exit_code == 0);
    const std::string log = read_file(folder + "/log.jsonl");
    int events = 0;
    for (size_t at = log.find("\"nan\""); at != log.npos; at = log.find("\"nan\"", at + 1))
      ++events;
    return events;
  };
  CHECK(train("--epochs=1", {}) == 1);
  const std::string checkpoint = folder + "/step-000000001.safetensors";
  const std::string after_first = read_file(checkpoint);
  CHECK(train("--epochs=2", {"--resume"}) == 3);
  std::ofstream(checkpoint, std::ios::binary) << after_first;
  CHECK(train("--epochs=2", {"--resume"}) == 3);
}

TEST_CASE("data that is no number is named") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor x = Tensor::from<float>(DType::F32, {4}, std::vector<float>{1, 2, 3, 4});
  x.set(2, nan);
  NamedTensors data;
  data.add("x", x);
  const std::string path = temporary_path("nan.npz");
  write_weights(path, data);
  const std::string model = write_temporary("nan.grad", R"(
model line(x: f32[batch]) {
  param slope: f32[] = zeros
  loss = mean((slope - x) ** 2)
}
train line {
  batch     = 2
  epochs    = 1
  shuffle   = false
  optimizer = sgd(learning_rate = 0.1)
}
)");
  const ProgramRun run = run_program({"train", model, "--data", path});
  INFO(run.err);
  CHECK(run.exit_code == 4);
  CHECK(run.err.find("the data field `x` has it before the step: element 0 is nan") !=
        std::string::npos);
}
