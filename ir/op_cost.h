// What elementwise ops cost: the table behind fusion's decisions and thread counts.
#pragma once
#include "ir/op_kind.h"
#include "runtime/core/dtype.h"

namespace gradc {

/// Estimated time for one element in vector code on one thread (AVX-512), ns.
double op_cost_ns(OpKind kind, DType dtype);

/// Time to draw one random number, ns.
inline constexpr double kDrawCostNs = 0.7;
/// Time of a load or store of one element that vectorizes, and of one that does not, ns.
inline constexpr double kAccessCostNs = 0.02;
inline constexpr double kStridedAccessCostNs = 0.35;
/// Time to move one byte from or to memory behind the first cache, ns. The second and third cache
/// and memory are not told apart.
inline constexpr double kByteCostNs = 0.013;
/// The same, beyond that, where more than a second cache holds is walked in pieces with gaps that
/// are as long as this: what is fetched ahead is not what comes next.
inline constexpr double kGapByteCostNs = 0.025;
inline constexpr int64_t kGapBytes = 1024;
inline constexpr int64_t kSecondCacheBytes = 1 << 20;
/// A store of a part of a vector over what was loaded there, ns: what follows it in memory cannot
/// be loaded until it is done.
inline constexpr double kPartialStoreCostNs = 4;
/// A scalar op takes as long as one on a vector of this many elements.
inline constexpr int64_t kVectorElements = 16;

}  // namespace gradc
