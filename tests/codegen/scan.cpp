// Compiled scans against the interpreter, with their gradients, fused and unfused, at one and two
// threads.
#include <cmath>

#include "codegen/compile.h"
#include "ir/interpret.h"
#include "ir/ops/scan.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "runtime/execute.h"
#include "tests/random_op.h"
#include "tests/random_scan.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

std::vector<Tensor> run_compiled(const Graph& graph, bool fuse, std::span<const Tensor> inputs) {
  PipelineOptions options;
  options.fuse = fuse;
  options.verify = true;
  const Graph fused = run_until(graph, Stage::Fused, options);
  const auto program = std::make_shared<const Program>(compile(fused, {.backend = Backend::Llvm}));
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program->outputs) outputs.emplace_back(output.type);
  Executor executor(program);
  executor.run(inputs, outputs);
  executor.run(inputs, outputs);  // nothing is left over from the first run
  return outputs;
}

}  // namespace

TEST_CASE("compiled scans and their gradients agree with the interpreter", "[scan]") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    const Graph graph = testing::with_gradients(testing::random_scan_graph(seed, DType::F32));
    testing::RandomSource random(seed + 1000);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(testing::random_tensor(random, graph.type(Graph::input_value(i)), -1, 1));
    const std::vector<Tensor> expected = interpret(run_until(graph, Stage::Grad, {}), inputs);
    const std::vector<Tensor> fused = run_compiled(graph, true, inputs);
    const std::vector<Tensor> unfused = run_compiled(graph, false, inputs);
    REQUIRE(fused.size() == expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      INFO(graph.outputs()[k].name);
      CHECK(same_bits(fused[k], unfused[k]));
      double largest = 1;
      for (int64_t i = 0; i < expected[k].size(); ++i)
        largest = std::max(largest, std::abs(expected[k].at(i)));
      for (int64_t i = 0; i < expected[k].size(); ++i)
        REQUIRE(std::abs(fused[k].at(i) - expected[k].at(i)) <= 2e-5 * largest);
    }
  }
}
