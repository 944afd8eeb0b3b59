// What holds for every pass on every graph: the values stay, the result verifies, a second run
// changes nothing.
#include <cmath>

#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/differentiate.h"
#include "passes/pipeline.h"
#include "random_program.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr uint64_t kSeeds = 400;
constexpr int kNodes = 40;

/// Equal bits, all NaNs taken as one.
bool same_values(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i);
    const double y = b.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (x != y || std::signbit(x) != std::signbit(y)) return false;
  }
  return true;
}

void require_same_outputs(const Graph& before, const Graph& after, std::span<const Tensor> inputs) {
  const std::vector<Tensor> expected = interpret(before, inputs);
  const std::vector<Tensor> actual = interpret(after, inputs);
  REQUIRE(expected.size() == actual.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    INFO("output " << k << "\n" << print(before) << print(after));
    REQUIRE(same_values(expected[k], actual[k]));
  }
}

}  // namespace

TEST_CASE("each pass keeps every bit of random graphs and is idempotent") {
  for (const Pass& pass : all_passes()) {
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      INFO(pass.name << ", seed " << seed);
      const RandomProgram program = random_program(seed, kNodes, false);
      const Graph once = pass.run(program.graph);
      verify(once, pass.name);
      require_same_outputs(program.graph, once, program.inputs);
      const Graph twice = pass.run(once);
      if (pass.name == "fold" || pass.name == "canonicalize") {
        require_same_outputs(once, twice, program.inputs);
      } else {
        REQUIRE(same_graph(once, twice));
      }
    }
  }
}

TEST_CASE("the pipeline keeps every bit, gradients included, and ends at a fixed point") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    const RandomProgram program = random_program(seed, kNodes, true);
    PipelineOptions options;
    options.verify = true;
    const Graph grad = run_until(program.graph, Stage::Grad, options);
    const Graph optimized = run_until(program.graph, Stage::Optimized, options);
    require_same_outputs(grad, optimized, program.inputs);
    CHECK(same_graph(run_until(grad, Stage::Optimized), optimized));
    CHECK(same_graph(run_until(optimized, Stage::Optimized), optimized));
    for (bool is_fused : {true, false}) {
      options.fuse = is_fused;
      const Graph fused = run_until(program.graph, Stage::Fused, options);
      require_same_outputs(grad, fused, program.inputs);
      CHECK(same_graph(run_until(fused, Stage::Fused, options), fused));
    }
  }
}
