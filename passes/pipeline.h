// The pipeline: from the elaborated graph to fusion groups.
#pragma once
#include <functional>
#include <span>

#include "passes/pass.h"

namespace gradc {

/// What a graph can be dumped as; each is a graph that the pipeline accepts again.
enum class Stage : uint8_t {
  Model,      // as elaborated
  Grad,       // gradient nodes expanded
  Optimized,  // simplified, before fusion
  Fused,      // every node in a group
};
std::string_view name(Stage stage);
std::optional<Stage> parse_stage(std::string_view name);

struct PassTiming {
  std::string_view name;
  double seconds;
  size_t nodes;  // after the pass
};

struct PipelineOptions {
  /// False: each op becomes its own group.
  bool fuse = true;
  /// Verify the graph after each pass.
  bool verify = false;
  /// Called after each pass that ran, with its result.
  std::function<void(const Pass&, const Graph&)> after;
  /// Where to append one entry for each pass that ran; may be null.
  std::vector<PassTiming>* timings = nullptr;
};

/// Every pass once, in the order of the pipeline.
std::span<const Pass> all_passes();

/// `graph` after all passes up to `stage`. Bitwise the same results for graphs of any earlier
/// stage: passes leave what is already done alone. Throws Error where a pass does.
Graph run_until(const Graph& graph, Stage stage, const PipelineOptions& options = {});
/// The same for every graph of the module.
Module run_until(const Module& module, Stage stage, const PipelineOptions& options = {});

/// A deliberately wrong pass for the tests of verify: where set, the last addition of floats in the
/// result of the pass of this name becomes a subtraction. Empty: none.
void corrupt_pass_for_test(std::string_view name);

/// Equal inputs, nodes, types and outputs; origins may differ.
bool same_graph(const Graph& a, const Graph& b);

}  // namespace gradc
