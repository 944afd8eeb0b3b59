// The reference interpreter: evaluates a graph node by node with each op's `eval`.
#pragma once
#include <functional>

#include "ir/graph.h"

namespace gradc {

/// Values of the outputs, in order. `inputs` are tensors of the inputs' types, in order.
/// `observe`, if given, sees every value right after it is computed.
std::vector<Tensor> interpret(const Graph& graph, std::span<const Tensor> inputs,
                              const std::function<void(ValueId, const Tensor&)>& observe = {});

/// The same graph with every f32 (also inside bodies and attributes) turned into f64, except that
/// random draws stay the same numbers: drawn as f32, then converted.
Graph widen(const Graph& graph);

}  // namespace gradc
