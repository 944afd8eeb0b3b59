// Each rewrite rule alone applies to some random graph: the property tests exercise all of them.
// Those whose arithmetic shows in large tensors only are tried here.
#include <map>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "passes/canonicalize.h"
#include "passes/canonicalize_rules.h"
#include "passes/pipeline.h"
#include "random_program.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

Graph apply_rule(const RewriteRule& rule, const Graph& graph) {
  const std::span<const RewriteRule> rules[] = {{&rule, 1}};
  Rewriter rewriter(graph);
  Simplifier simplifier(rewriter.builder(), rules);
  for (const Node& node : graph.nodes()) {
    const ValueId value = simplifier.add(node.kind, rewriter.map(node.operands), node.attrs);
    rewriter.replace(node.results[0], value);
  }
  return std::move(rewriter).finish();
}

std::vector<RewriteRule> all_rules() {
  std::vector<RewriteRule> all;
  for (const auto& family :
       {elementwise_rules(), movement_rules(), contraction_rules(), window_rules()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

}  // namespace

TEST_CASE("each rewrite rule applies somewhere") {
  std::vector<RandomProgram> programs;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    programs.push_back(random_program(1000 + seed, 60, false));
  }
  std::map<std::string_view, bool> applies;
  for (const RewriteRule& rule : all_rules()) {
    CHECK(rule.equation.find(" ==> ") != std::string_view::npos);
    bool& is_seen = applies[rule.equation];
    is_seen = is_seen || std::any_of(programs.begin(), programs.end(), [&](const auto& program) {
                return !same_graph(apply_rule(rule, program.graph), program.graph);
              });
  }
  for (const auto& [equation, is_seen] : applies) {
    INFO(equation);
    CHECK(is_seen);
  }
}

TEST_CASE("a slice of a slice takes the same elements from the whole") {
  using Ints = std::vector<int64_t>;
  Tensor counted(DType::F32, {40});
  for (int64_t i = 0; i < counted.size(); ++i) counted.set(i, static_cast<double>(i));
  for (int64_t inner : {1, 2, 3})
    for (int64_t outer : {1, 2, 3}) {
      GraphBuilder builder("slices", GraphMode::Run);
      const ValueId x = builder.input(InputKind::Data, "x", counted.type());
      const auto sliced = [&](ValueId value, int64_t start, int64_t size, int64_t stride) {
        return builder.add(OpKind::Slice, {value},
                           {{"start", Ints{start}},
                            {"limit", Ints{start + (size - 1) * stride + 1}},
                            {"stride", Ints{stride}}});
      };
      builder.output(OutputKind::Output, "y", sliced(sliced(x, 1, 11, inner), 2, 3, outer));
      const Graph graph = std::move(builder).build();
      const Graph after = canonicalize(graph);
      INFO(inner << ", " << outer);
      const Node* made = after.defining_node(after.outputs()[0].value);
      REQUIRE(made != nullptr);
      CHECK(after.is_input(made->operands[0]));
      CHECK(same_bits(interpret(graph, {{counted}})[0], interpret(after, {{counted}})[0]));
      CHECK(interpret(after, {{counted}})[0].at(1) == static_cast<double>(1 + inner * (2 + outer)));
    }
}
