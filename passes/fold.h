// Constant folding.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Values that depend on constants and iota only become constants if they have at most 64
/// elements; computing one may read at most 65536. Values are the interpreter's, so folding changes
/// a result by no more than compiled code differs from the interpreter, fused and unfused alike.
/// Broadcasts and iotas stay what they are: code reads them for free. Values without elements
/// become broadcasts, whatever made them.
Graph fold(const Graph& graph);

}  // namespace gradc
