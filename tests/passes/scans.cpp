// Every pass on random graphs with scans and their gradients: the values stay, the result verifies,
// a second run changes nothing; what becomes of the scan of the forward rounds; and which scans are
// one loop.
#include <algorithm>
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

const Pass& merging() {
  REQUIRE(all_passes()[1].name == "merge_scans");
  return all_passes()[1];
}

/// A scan over "x" from "h" that carries `carry` and collects `collected`; `last` is its last node.
struct ScanText {
  std::string last = "sin(%2)";
  std::string carry = "%2";
  std::string collected = "%3";
  std::string reverse = "false";

  std::string node(int first_result) const {
    return fmt::format(R"(  %{}, %{} = scan(%0, %1) {{body = graph body "round" {{
    %0 = input operand "a0" : f32[2]
    %1 = input operand "a1" : f32[2]
    %2 = add(%0, %1) : f32[2]
    %3 = {} : f32[2]
    output result "r0" = {}
    output result "r1" = {}
  }}, carries = 1, sequences = 1, length = 3, reverse = {}}} : f32[2], f32[3, 2]
)",
                       first_result, first_result + 1, last, carry, collected, reverse);
  }
};

Graph graph_of(const std::vector<ScanText>& scans) {
  std::string text =
      "graph file m\ngraph run \"scans\" {\n  %0 = input data \"h\" : f32[2]\n"
      "  %1 = input data \"x\" : f32[3, 2]\n";
  const int values = 2 * static_cast<int>(scans.size());
  for (int k = 0; k < values; k += 2) text += scans[static_cast<size_t>(k / 2)].node(2 + k);
  for (int k = 0; k < values; ++k) text += fmt::format("  output output \"y{}\" = %{}\n", k, 2 + k);
  return parse_module(text + "}\n", "m").graphs[0];
}

/// How many scans are left of these, in this order and the other way round.
std::vector<size_t> merged_counts(std::vector<ScanText> scans) {
  std::vector<size_t> counts;
  for (int order = 0; order < 2; ++order) {
    const Graph graph = graph_of(scans);
    INFO(text_of(graph));
    std::vector<Tensor> inputs = {Tensor(DType::F32, {2}), Tensor(DType::F32, {3, 2})};
    for (Tensor& input : inputs)
      for (int64_t i = 0; i < input.size(); ++i) input.set(i, 0.25 * static_cast<double>(i + 1));
    const Graph merged = merging().run(graph);
    verify(merged, "merge_scans");
    CHECK(largest_difference(interpret(graph, inputs), interpret(merged, inputs)) == 0);
    counts.push_back(count_scans(merged));
    std::reverse(scans.begin(), scans.end());
  }
  return counts;
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
    const Graph merged = merging().run(graph);
    INFO("seed " << seed << "\n" << text_of(merged));
    CHECK(count_scans(graph) <= 3);
    CHECK(count_scans(merged) <= 2);
  }
}

TEST_CASE("scans are one loop where their rounds begin alike and they carry the same") {
  using Counts = std::vector<size_t>;
  const ScanText scan;
  CHECK(merged_counts({scan, scan}) == Counts{1, 1});
  CHECK(merged_counts({scan, {.collected = "%2"}}) == Counts{1, 1});
  CHECK(merged_counts({scan, {.last = "cos(%2)"}}) == Counts{2, 2});
  CHECK(merged_counts({scan, {.reverse = "true"}}) == Counts{2, 2});
  CHECK(merged_counts({scan, {.carry = "%3"}}) == Counts{2, 2});
  CHECK(merged_counts({scan, {.carry = "%3"}, {.reverse = "true"}}) == Counts{3, 3});
  CHECK(merged_counts({scan, {.last = "cos(%2)"}, scan, {.last = "cos(%2)"}}) == Counts{2, 2});
}
