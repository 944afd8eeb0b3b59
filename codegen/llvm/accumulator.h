// Accumulators of the loop IR in registers.
#pragma once
#include <optional>

#include "codegen/llvm/scalar_algebra.h"
#include "codegen/loop.h"

namespace gradc {

/// The running value: an element, or W lanes of which each has its own. The values are replaced by
/// accumulate(), and by the phis of loops.
struct AccumulatorState {
  loop::ReduceKind kind;
  /// Lanes are partial results of one value, which combined() puts together.
  bool is_spread;
  LlvmScalar best;
  std::optional<Lanes> position;  // i32; ArgMax and ArgMin
};

/// What is added: `value` and `factor` with as many lanes as the state; a mask keeps the lanes
/// outside as they are (null: all are in).
struct Contribution {
  LlvmScalar value;
  std::optional<LlvmScalar> factor;
  std::optional<Lanes> position;
  llvm::Value* mask;
};

/// The neutral element, in all lanes if `is_vector`.
AccumulatorState start_accumulator(Code& code, const loop::Accumulator& accumulator, bool is_vector,
                                   bool is_spread);
void accumulate(AccumulatorState& state, const Contribution& contribution);
/// The value; lanes of a spread accumulator are combined in a balanced tree, l with l + W/2 first.
LlvmScalar combined(const AccumulatorState& state);

/// One lane of a spread accumulator as an accumulator, and back.
AccumulatorState first_lane(const AccumulatorState& state);
void set_first_lane(AccumulatorState& state, const AccumulatorState& lane);

}  // namespace gradc
