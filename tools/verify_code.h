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

/// How a tensor compares with its reference. Floats: |a - b| <= tolerance * max |reference| +
/// slack, where the tolerance is 2^12 units (room for sums in another order), but of f32 where
/// `unit` is that of a narrower float, and 2^4 of those; NaNs and infinities must agree. Integers
/// and bools: equal. Empty text if they agree.
std::string compare_tensors(const Tensor& value, const Tensor& reference, double unit,
                            double slack = 0);

/// An output of a whole graph that differs.
struct OutputDifference {
  size_t output;
  std::string what;  // as of compare_tensors
};

/// The first of `values` that is further from `expected`, what the interpreter makes of `graph`
/// (without gradient nodes), than compare_tensors allows one op, and further than the roundings of
/// all ops before it explain (passes/roundings.h): where large terms cancel, what is left is
/// rounding.
std::optional<OutputDifference> compare_outputs(const Graph& graph, std::span<const Tensor> inputs,
                                                std::span<const Tensor> values,
                                                std::span<const Tensor> expected);

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
