// The layers of an elaborated model as a table and as a graph.
#pragma once
#include "frontend/elaborator.h"
#include "frontend/model.h"

namespace gradc {

/// Instances in the order of first application, with the functions that the body calls on the way
/// to the outputs between them; the model's own row (path "") comes last.
std::vector<LayerRow> layer_rows(const Elaborator& elaborator);

/// The inputs and what leads from them to the outputs, or to the losses where there is no output.
std::vector<LayerNode> layer_graph(const Elaborator& elaborator);

}  // namespace gradc
