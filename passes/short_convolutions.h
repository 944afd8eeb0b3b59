// Convolutions of few products for each element, in the forms that loops compute best.
#pragma once
#include "ir/graph.h"

namespace gradc {

/// A convolution is short if each element of its result is a sum of few products, as with one
/// channel and a window of several elements (is_short_convolution). Its padding is made beforehand,
/// so that no loop asks whether it stands in it:
///   conv(a, k, low, high) ==> conv(pad(a, low, high), k)
/// and its kernel gradient gets two stages, so that threads share the rows, the sums of a row stay
/// in registers and what makes g can be computed in the same loops:
///   conv_kernel(a, g) ==> sum(dot(windows(pad(a)), g) over the places of each row, rows)
/// The second holds for windows of one element too where the library cannot be trusted.
Graph short_convolutions(const Graph& graph);

}  // namespace gradc
