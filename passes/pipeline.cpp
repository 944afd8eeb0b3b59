// The pipeline as a list, and the loop that runs it.
#include "passes/pipeline.h"

#include <chrono>
#include <optional>

#include "ir/builder.h"
#include "ir/verify.h"
#include "passes/canonicalize.h"
#include "passes/cse.h"
#include "passes/dce.h"
#include "passes/decompose.h"
#include "passes/differentiate.h"
#include "passes/fold.h"
#include "passes/fuse.h"
#include "passes/hoist.h"
#include "passes/merge_scans.h"
#include "passes/scan_bodies.h"
#include "passes/short_convolutions.h"
#include "passes/split_reductions.h"

namespace gradc {
namespace {

constexpr Pass kPasses[] = {
    {"differentiate", "gradient nodes become ordinary nodes", in_bodies<differentiate>},
    {"merge_scans", "scans of the same rounds become one", merge_scans},
    {"hoist", "what is the same in every round of a scan is computed before it", in_bodies<hoist>},
    {"decompose", "means, stopped gradients and small powers become simpler ops",
     in_bodies<decompose>},
    {"split_reductions", "large reductions to a scalar get two stages",
     in_bodies<split_reductions>},
    {"short_convolutions",
     "convolutions of few products are padded beforehand and differentiated "
     "row by row",
     in_bodies<short_convolutions>},
    {"canonicalize", "equal things get one form; identities and compositions disappear",
     in_bodies<canonicalize>},
    {"fold", "small values that depend on constants only become constants", in_bodies<fold>},
    {"cse", "of equal nodes only the first stays", in_bodies<cse>},
    {"dce", "nodes that no output depends on disappear", in_bodies<dce>},
    {"fuse", "nodes are put into groups that become one kernel each", in_bodies<fuse>},
    {"fuse_nothing", "each node is put into a group of its own", in_bodies<fuse_nothing>},
};
constexpr const Pass& kDifferentiate = kPasses[0];
constexpr std::span<const Pass> kSimplifications = std::span(kPasses).subspan(1, 9);
constexpr const Pass& kFuse = kPasses[10];
constexpr const Pass& kFuseNothing = kPasses[11];
/// Each round removes work, so a fixed point is reached; this bounds the time to it.
constexpr int kMaxRounds = 8;

constexpr std::string_view kStageNames[] = {"model", "grad", "optimized", "fused"};

std::string corrupted_pass;

Graph corrupted(const Graph& graph) {
  const auto is_changed = [&](const Node& node) {
    return node.kind == OpKind::Add && is_float(graph.type(node.results[0]).dtype);
  };
  const Node* last = nullptr;
  for (const Node& node : graph.nodes())
    if (is_changed(node)) last = &node;
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (&node != last)
      rewriter.copy(node);
    else
      rewriter.replace(node.results[0], rewriter.builder().sub(rewriter.map(node.operands[0]),
                                                               rewriter.map(node.operands[1])));
  }
  return std::move(rewriter).finish();
}

Graph run_pass(const Pass& pass, const Graph& graph, const PipelineOptions& options) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  Graph result = pass.run(graph);
  if (pass.name == corrupted_pass) result = corrupted(result);
  const std::chrono::duration<double> seconds = Clock::now() - start;
  if (options.timings != nullptr) {
    options.timings->push_back({pass.name, seconds.count(), result.nodes().size()});
  }
  if (options.verify) verify(result, fmt::format("after {}", pass.name));
  if (options.after) options.after(pass, result);
  return result;
}

Graph simplify(Graph graph, const PipelineOptions& options) {
  for (int round = 0; round < kMaxRounds; ++round) {
    Graph simplified = graph;
    for (const Pass& pass : kSimplifications) simplified = run_pass(pass, simplified, options);
    const bool is_done = same_graph(graph, simplified);
    graph = std::move(simplified);
    if (is_done) break;
  }
  return graph;
}

}  // namespace

std::string_view name(Stage stage) { return kStageNames[static_cast<size_t>(stage)]; }

std::optional<Stage> parse_stage(std::string_view text) {
  for (Stage stage : {Stage::Model, Stage::Grad, Stage::Optimized, Stage::Fused}) {
    if (name(stage) == text) return stage;
  }
  return {};
}

void corrupt_pass_for_test(std::string_view name) { corrupted_pass = name; }

std::span<const Pass> all_passes() { return kPasses; }

Graph run_until(const Graph& graph, Stage stage, const PipelineOptions& options) {
  Graph result = graph;
  if (stage >= Stage::Grad) result = run_pass(kDifferentiate, result, options);
  if (stage >= Stage::Optimized) result = simplify(std::move(result), options);
  if (stage >= Stage::Fused) {
    result = run_pass(options.fuse ? kFuse : kFuseNothing, result, options);
  }
  return result;
}

Module run_until(const Module& module, Stage stage, const PipelineOptions& options) {
  Module result{module.name, module.settings, {}};
  for (const Graph& graph : module.graphs) {
    result.graphs.push_back(run_until(graph, stage, options));
  }
  return result;
}

bool same_graph(const Graph& a, const Graph& b) {
  const auto as_attr = [](const Graph& graph) {
    return Attrs{{"body", BodyRef(std::shared_ptr<const void>(), &graph)}};
  };
  return same_attrs(as_attr(a), as_attr(b));
}

}  // namespace gradc
