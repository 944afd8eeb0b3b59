// The invariants of a graph:
//   V1  inputs are the values 0, 1, ...; every other value is a result of exactly one node;
//   V2  an operand is defined before the node that reads it;
//   V3  a node has the number of operands and exactly the attributes (name, kind) its op declares;
//   V4  result types are what the op's shape rule infers;
//   V5  input names are unique within a kind; output names within a kind; outputs refer to values;
//   V6  a Parameter, Slot, State or Step output outside an init graph has an input of that kind,
//   name
//       and type; Loss is a float scalar, accumulators are f64;
//   V7  a body's operands and results agree in number and type with its node.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// Throws InternalError that names the invariant, shows the node with five before and after it, and
/// the model line it comes from. `when` says after which pass ("after fuse").
void verify(const Graph& graph, std::string_view when);

}  // namespace gradc
