// The reference interpreter: evaluates a graph node by node with each op's `eval`.
#pragma once
#include <functional>

#include "ir/graph.h"

namespace gradc {

/// Values of the outputs, in order. `inputs` are tensors of the inputs' types, in order.
/// `observe`, if given, sees every value right after it is computed.
std::vector<Tensor> interpret(const Graph& graph, std::span<const Tensor> inputs,
                              const std::function<void(ValueId, const Tensor&)>& observe = {});

/// The same graph with every float (also inside bodies and attributes) turned into f64, so that
/// nothing is rounded to a narrower one, except that random draws stay the same numbers: drawn as
/// f32, then converted.
Graph widen(const Graph& graph);
/// Floats as f64, all else as it is; shares the memory where nothing changes.
Tensor widen(const Tensor& tensor);

}  // namespace gradc
