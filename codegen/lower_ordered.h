// From one fusion group of kind "ordered" to a step of the runtime's own code.
#pragma once
#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// The body holds one op of the class Ordered on operand 0. Names and buffers are the caller's.
OrderedStep lower_ordered(const Graph& body);

}  // namespace gradc
