// The reverse walk: cotangents of values from cotangents of what is computed from them.
#pragma once
#include "ir/builder.h"

namespace gradc {

/// A derivative that does not exist: `what` names the op and why.
struct MissingDerivative {
  Origin origin;
  std::string what;
};

/// dy/dvalue for one y, as a value.
struct Cotangent {
  ValueId value;
  ValueId cotangent;
};

/// Appends to `builder` the nodes that carry the cotangents `seeds` back to each of `xs`; returns
/// their cotangents, nothing for an x that no seed depends on. Integers, booleans and stop_gradient
/// cut paths. Cotangents are added in the reverse order of the nodes that contribute them. Missing
/// derivatives are appended to `missing` and count as zero. Restores the builder's origin.
std::vector<std::optional<ValueId>> append_cotangents(GraphBuilder& builder,
                                                      std::span<const Cotangent> seeds,
                                                      std::span<const ValueId> xs,
                                                      std::vector<MissingDerivative>& missing);

}  // namespace gradc
