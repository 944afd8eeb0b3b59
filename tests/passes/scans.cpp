// Every pass on random graphs with scans and their gradients: the values stay, the result verifies,
// a second run changes nothing; and what becomes of the scan of the forward rounds.
#include <cmath>

#include "ir/interpret.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "tests/random_op.h"
#include "tests/random_scan.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

Graph differentiated_scan(uint64_t seed) {
  const Graph graph = testing::with_gradients(testing::random_scan_graph(seed, DType::F32));
  return run_until(graph, Stage::Grad, {});
}

double largest_difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double largest = 0;
  for (size_t k = 0; k < a.size(); ++k)
    for (int64_t i = 0; i < a[k].size(); ++i)
      largest = std::max(largest, std::abs(a[k].at(i) - b[k].at(i)) / (1 + std::abs(a[k].at(i))));
  return largest;
}

std::string text_of(const Graph& graph) { return print(Module{"m", {}, {graph}}); }

size_t count_scans(const Graph& graph) {
  size_t count = 0;
  for (const Node& node : graph.nodes()) count += node.kind == OpKind::Scan ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("every pass keeps the values of scans") {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    const Graph graph = differentiated_scan(seed);
    testing::RandomSource random(seed + 1000);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(testing::random_tensor(random, graph.type(Graph::input_value(i)), -1, 1));
    const std::vector<Tensor> expected = interpret(graph, inputs);
    for (const Pass& pass : all_passes()) {
      INFO("seed " << seed << ", " << pass.name);
      const Graph after = pass.run(graph);
      verify(after, pass.name);
      CHECK(largest_difference(expected, interpret(after, inputs)) < 1e-5);
      CHECK(text_of(parse_module(text_of(after), "m").graphs[0]) == text_of(after));
      // Scans in scans lose what nobody needs of them one level a run.
      Graph settled = after;
      for (int run = 0; pass.name == "dce" && run < 4; ++run) settled = pass.run(settled);
      CHECK(text_of(pass.run(settled)) == text_of(settled));
    }
  }
}

TEST_CASE("the forward rounds run once, whatever the gradient reads of them") {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    const Graph graph = differentiated_scan(seed);
    const Graph merged = all_passes()[1].run(graph);
    INFO("seed " << seed << "\n" << text_of(merged));
    REQUIRE(all_passes()[1].name == "merge_scans");
    CHECK(count_scans(graph) <= 3);
    CHECK(count_scans(merged) <= 2);
  }
}
