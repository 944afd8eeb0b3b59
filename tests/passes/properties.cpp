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
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr uint64_t kSeeds = 400;
constexpr int kNodes = 40;

constexpr uint64_t kGraphSeeds = 150;

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

/// Equal up to the tolerance, relative to the largest element; with tolerance 0 only finite
/// elements that differ by more than a rounding count, and only in graphs without mean or pow.
void require_close_outputs(const Graph& before, const Graph& after, std::span<const Tensor> inputs,
                           double tolerance) {
  const bool is_exact = std::none_of(before.nodes().begin(), before.nodes().end(), [](auto& node) {
    return node.kind == OpKind::Mean || node.kind == OpKind::Pow;
  });
  if (is_exact) return require_same_outputs(before, after, inputs);
  if (tolerance == 0) return;
  const std::vector<Tensor> expected = interpret(before, inputs);
  const std::vector<Tensor> actual = interpret(after, inputs);
  for (size_t k = 0; k < expected.size(); ++k) {
    if (expected[k].dtype() != DType::F32 && expected[k].dtype() != DType::F64) continue;
    double largest = 1;
    for (int64_t i = 0; i < expected[k].size(); ++i) {
      if (std::isfinite(expected[k].at(i))) {
        largest = std::max(largest, std::abs(expected[k].at(i)));
      }
    }
    for (int64_t i = 0; i < expected[k].size(); ++i) {
      if (!std::isfinite(expected[k].at(i))) continue;
      INFO(print(before) << print(after));
      REQUIRE(actual[k].at(i) == Approx(expected[k].at(i)).epsilon(0).margin(tolerance * largest));
    }
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

TEST_CASE("the pipeline keeps the values of random graphs of every op class") {
  for (uint64_t seed = 0; seed < kGraphSeeds; ++seed) {
    INFO("seed " << seed);
    testing::RandomGraphOptions options;
    options.discontinuous = seed % 2 == 0;
    const Graph graph = testing::random_graph(seed, options);
    const std::vector<Tensor> inputs = testing::random_inputs(graph, seed);
    PipelineOptions verified;
    verified.verify = true;
    const Graph optimized = run_until(graph, Stage::Optimized, verified);
    CHECK(same_graph(run_until(optimized, Stage::Optimized), optimized));
    require_close_outputs(graph, optimized, inputs, options.discontinuous ? 0 : 1e-5);
    require_same_outputs(optimized, run_until(optimized, Stage::Fused, verified), inputs);
  }
}
