// When work is shared by threads: one number for those who plan kernels and those who run them.
#pragma once

namespace gradc {

/// Below this much work on one thread, ns, waking a second one costs more than it saves.
inline constexpr double kParallelFromNs = 2500;

}  // namespace gradc
