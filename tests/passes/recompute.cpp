// Copies that save memory: the same values, a smaller peak, the order of what is dropped.
#include "passes/recompute.h"

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/fuse.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

ValueId viewed(const Graph& graph, ValueId value) {
  while (!graph.is_input(value) && graph.defining_node(value)->kind == OpKind::Reshape)
    value = graph.defining_node(value)->operands[0];
  return value;
}

/// The plan of a program that runs the groups in order and keeps each value from the first to the
/// last step that has to do with it; outputs are not in the arena.
MemoryOutline plain_outline(const Graph& graph) {
  MemoryOutline memory;
  std::vector<int32_t> last(graph.value_count(), -1);
  std::vector<bool> is_output(graph.value_count());
  for (const Output& output : graph.outputs()) is_output[index(viewed(graph, output.value))] = true;
  int32_t time = 0;
  for (const Node& node : graph.nodes()) {
    const bool is_step = node.kind == OpKind::Group;
    memory.node_time.push_back(is_step ? time : -1);
    if (is_step)
      for (ValueId operand : node.operands) last[index(viewed(graph, operand))] = time;
    time += is_step ? 1 : 0;
  }
  memory.alive.assign(static_cast<size_t>(time), 0);
  memory.in_arena.assign(graph.value_count(), false);
  for (uint32_t v = 0; v < graph.value_count(); ++v) {
    const auto value = static_cast<ValueId>(v);
    const ValueId base = viewed(graph, value);
    if (graph.is_input(base) || graph.defining_node(base)->kind != OpKind::Group) continue;
    memory.in_arena[v] = !is_output[index(base)];
    if (value != base || is_output[v]) continue;
    const int32_t first = memory.node_time[static_cast<size_t>(graph.producer(value))];
    for (int32_t t = first; t <= std::max(first, last[v]); ++t)
      memory.alive[static_cast<size_t>(t)] += graph.type(value).size_bytes();
  }
  for (int64_t bytes : memory.alive) memory.arena_bytes = std::max(memory.arena_bytes, bytes);
  return memory;
}

}  // namespace

TEST_CASE("graphs that compute values again have the same values and a smaller peak") {
  int smaller = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    testing::RandomGraphOptions options;
    options.nodes = 10 + static_cast<int>(seed % 40);
    const Graph graph = testing::random_graph(seed, options);
    const std::vector<Tensor> inputs = testing::random_inputs(graph, seed);
    const std::vector<Tensor> expected = interpret(graph, inputs);
    for (const Graph& fused : {fuse(graph), fuse_nothing(graph)}) {
      const Recomputation fitted = fit_memory(fused, 0, plain_outline);
      INFO("seed " << seed << "\n" << print(fused) << print(fitted.graph));
      verify(fitted.graph, "after fit_memory");
      REQUIRE(fitted.arena_after == plain_outline(fitted.graph).arena_bytes);
      REQUIRE(fitted.arena_after <= fitted.arena_before);
      if (fitted.arena_after < fitted.arena_before) ++smaller;
      const std::vector<Tensor> results = interpret(fitted.graph, inputs);
      for (size_t k = 0; k < results.size(); ++k) CHECK(same_bits(results[k], expected[k]));
    }
  }
  CHECK(smaller > 10);
}

TEST_CASE("what is cheap is dropped before products, and only what the limit asks for") {
  // Forward: a product, then exponentials; backward reads all of them in the opposite order.
  GraphBuilder b("deep", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {64, 64}});
  std::vector<ValueId> values{b.add(OpKind::Dot, {x, x},
                                    {{"lhs_batch", std::vector<int64_t>{}},
                                     {"rhs_batch", std::vector<int64_t>{}},
                                     {"lhs_contract", std::vector<int64_t>{1}},
                                     {"rhs_contract", std::vector<int64_t>{0}}})};
  for (int i = 0; i < 6; ++i)
    values.push_back(b.add(OpKind::Reverse, {b.add(OpKind::Tanh, {values.back()})},
                           {{"axes", std::vector<int64_t>{i % 2}}}));
  ValueId back = values.back();
  for (size_t i = values.size(); i-- > 0;) back = b.mul(b.add(OpKind::Exp, {back}), values[i]);
  b.output(OutputKind::Output, "y", back);
  const Graph fused = fuse_nothing(std::move(b).build());
  const MemoryOutline before = plain_outline(fused);
  const Recomputation none = fit_memory(fused, before.arena_bytes, plain_outline);
  CHECK(none.values.empty());
  CHECK(print(none.graph) == print(fused));
  const Recomputation some = fit_memory(fused, before.arena_bytes * 3 / 4, plain_outline);
  CHECK(some.arena_after <= before.arena_bytes * 3 / 4);
  REQUIRE(!some.values.empty());
  for (const RecomputedValues& values_again : some.values)
    CHECK(values_again.what.find("dot") == std::string::npos);
  const Recomputation least = fit_memory(fused, 0, plain_outline);
  CHECK(least.arena_after < some.arena_after);
}
