// Where in a graph values stop being numbers.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// Values of a graph, by id.
using GraphValues = std::vector<Tensor>;

/// Runs a fused graph on `inputs` and keeps every value. Memory for all of them at once.
GraphValues run_for_values(
    const Graph& fused, std::span<const Tensor> inputs,
    const std::function<std::shared_ptr<const Program>(const Graph&)>& compile_graph);

/// The first node behind a loss or a new value of state that is NaN (or, where none is, infinite),
/// whose operands are not: "first in `div` f32[32, 10] (mnist.grad:7:12, gradient of
/// hidden.kernel): element 5 is nan". Of a group the op in it, of a scan its round, as the
/// interpreter finds them. Also names data and state that were no numbers before. Empty where all
/// outputs are finite.
std::string locate_nan(const Graph& fused, const GraphValues& values);

}  // namespace gradc
