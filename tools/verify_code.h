// Compiled code against the reference interpreter, for every tensor of a graph.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "passes/pipeline.h"
#include "runtime/program.h"
#include "tools/graph_case.h"

namespace gradc {

/// A tensor that two evaluations disagree on.
struct Disagreement {
  std::string where;  // the group or node, with its ops and the model line
  std::string what;   // "element 17: compiled 0.25, interpreter 0.2501 (allowed 1e-6)"
};

/// The unit of the last place of the coarsest float dtype among the values of the graph and of its
/// bodies: what an f64 sum of f32 terms can be held to.
double coarsest_unit(const Graph& graph);

/// How a tensor compares with its reference. Floats: |a - b| <= 2^12 * unit * max |reference| (room
/// for sums in another order) + slack; NaNs and infinities must agree. Integers and bools: equal.
/// Empty text if they agree.
std::string compare_tensors(const Tensor& value, const Tensor& reference, double unit,
                            double slack = 0);

/// A difference with a part of the graph that shows it.
struct Difference {
  Disagreement disagreement;
  GraphCase shown_by;
};

/// Compiles `source` with every op on its own, then as `options` fuse it, each time with the values
/// between the groups as outputs, runs it, and holds every tensor against what the interpreter
/// computes from the compiled operands; the bodies of scans likewise, on what their first round
/// reads. Then the program as it is trained must give the bits of the one with more outputs, and,
/// fused, those of the ops on their own. `checked` counts the tensors compared.
std::vector<Difference> verify_code(const Graph& source, std::span<const Tensor> inputs,
                                    const PipelineOptions& options,
                                    const CompileGraph& compile_graph, int64_t& checked);

}  // namespace gradc
