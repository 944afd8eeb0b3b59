// Each rewrite rule alone applies to some random graph: the property tests exercise all of them.
#include <map>

#include "ir/op.h"
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
