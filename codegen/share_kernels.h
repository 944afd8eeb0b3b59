// What tells kernels apart that could be one: numbers in their text, and how far their loop runs.
#pragma once
#include <string>
#include <vector>

#include "codegen/loop.h"

namespace gradc {

/// Kernels that draw differ in stream numbers and in the bounds of what they draw. Their literals
/// of i64 and of floats become elements of new buffers, one a dtype, appended to the kernel's; the
/// contents of these are returned, in the same order. Other kernels stay as they are: literals in
/// the text are faster.
std::vector<Tensor> take_out_numbers(loop::Kernel& kernel);

/// A text that two kernels share exactly if the code of one serves both; their names and, where
/// loop::takes_extent_from_range, their extents and the sizes of their buffers do not count.
std::string sharing_key(const loop::Kernel& kernel);

}  // namespace gradc
