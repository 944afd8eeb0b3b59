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

/// How a tensor compares with its reference. Floats: |a - b| <= tolerance * max |reference| with
/// tolerance = 2^12 units of the last place of the dtype (room for sums in another order); NaNs and
/// infinities must agree. Integers and bools: equal. Empty text if they agree.
std::string compare_tensors(const Tensor& value, const Tensor& reference);

/// Interprets `fused` on `inputs`; then compiles each group alone, runs it on the operands the
/// interpreter saw and compares its results. `checked` counts the tensors compared.
std::vector<Disagreement> verify_groups(const Graph& fused, std::span<const Tensor> inputs,
                                        const CompileGraph& compile_graph, int64_t& checked);

/// "group %31 = add, maximum (mnist_mlp.grad:3)".
std::string describe_node(const Graph& graph, const Node& node);

}  // namespace gradc
