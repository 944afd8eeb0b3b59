// What the emitter must know of a kernel before it starts, and of affine expressions.
#pragma once
#include <compare>
#include <map>
#include <set>
#include <vector>

#include "codegen/loop.h"

namespace gradc {

/// A stream number, or its bits flipped, which f64 draws use too.
struct DrawnStream {
  loop::LetId number;
  bool is_flipped;
  friend auto operator<=>(const DrawnStream&, const DrawnStream&) = default;
};

struct KernelFacts {
  /// Accumulators that some vector loop feeds.
  std::set<loop::AccumulatorId> fed_in_vector_loop;
  /// Streams drawn under a seed.
  std::map<loop::LetId, std::set<DrawnStream>> streams;
  /// Extent by variable.
  std::vector<int64_t> extents;
};
KernelFacts kernel_facts(const loop::Kernel& kernel);

/// Accumulators that statements feed but do not declare, ascending.
std::vector<loop::AccumulatorId> carried_accumulators(const std::vector<loop::Stmt>& body);

/// Is there a store with a guard?
bool stores_guarded(const std::vector<loop::Stmt>& body);

int64_t stride_of(const loop::Affine& affine, loop::VarId var);
/// Is every value of the expression within i32?
bool fits_i32(const loop::Affine& affine, const std::vector<int64_t>& extents);

}  // namespace gradc
