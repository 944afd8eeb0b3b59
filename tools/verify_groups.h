// Compiled code against the reference interpreter, one fusion group at a time.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// Turns a fused graph into a program.
using CompileGraph = std::function<std::shared_ptr<const Program>(const Graph&)>;

/// A tensor that two evaluations disagree on.
struct Disagreement {
  std::string where;  // the group or node, with its ops and the model line
  std::string what;   // "element 17: compiled 0.25, interpreter 0.2501 (allowed 1e-6)"
};

/// The unit of the last place of the coarsest float dtype among the values of the graph and of its
/// bodies: what an f64 sum of f32 terms can be held to.
double coarsest_unit(const Graph& graph);

/// How a tensor compares with its reference. Floats: |a - b| <= 2^12 * unit * max |reference| (room
/// for sums in another order); NaNs and infinities must agree. Integers and bools: equal. Empty
/// text if they agree.
std::string compare_tensors(const Tensor& value, const Tensor& reference, double unit);

/// Interprets `fused` on `inputs`; then compiles each group alone, runs it on the operands the
/// interpreter saw and compares its results. `checked` counts the tensors compared.
std::vector<Disagreement> verify_groups(const Graph& fused, std::span<const Tensor> inputs,
                                        const CompileGraph& compile_graph, int64_t& checked);

/// "group %31 = add, maximum (mnist_mlp.grad:3)".
std::string describe_node(const Graph& graph, const Node& node);

}  // namespace gradc
