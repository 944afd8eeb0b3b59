// Every check of one graph on one set of inputs, and the least case that shows what was found.
#pragma once
#include "passes/gradcheck.h"
#include "tools/verify_code.h"

namespace gradc {

enum class GraphCheck : uint8_t { Passes, Code, Gradients };
/// "passes", "compiled code", "gradients".
std::string_view title_of(GraphCheck check);

struct GraphFinding {
  GraphCheck check;
  Difference difference;
};

struct GraphReport {
  std::vector<GraphFinding> findings;
  int64_t passes = 0;     // compared
  int64_t tensors = 0;    // compiled ones that were compared
  int64_t gradients = 0;  // compared
  double worst_gradient = 0;
};

/// What graphs are checked with.
struct GraphChecks {
  PipelineOptions options;
  CompileGraph compile_graph;

  /// Passes and compiled code.
  GraphReport check_code(const Graph& graph, std::span<const Tensor> inputs) const;
  /// Every gradient node, along random directions and by single elements.
  GraphReport check_gradients(const Graph& graph, std::span<const Tensor> inputs) const;
  /// The smallest case that was found to differ in the same check; what the finding came with where
  /// no smaller one does.
  GraphCase reproducer(const GraphFinding& finding) const;
};

}  // namespace gradc
