// One round of a scan with its derivative, as one graph: what the two scans of the derivative are
// cut out of.
#pragma once
#include <set>

#include "ir/ops/scan.h"

namespace gradc::ops {

/// The body of the scan, copied, and behind it the walk back from the cotangents of its results.
/// All values are of `builder`'s graph.
struct DerivativeRound {
  GraphBuilder builder{"round", GraphMode::Body};
  size_t body_nodes = 0;                             // the first ones: copies of the body's nodes
  std::vector<ValueId> outputs;                      // of the body
  std::vector<std::optional<ValueId>> carry_seeds;   // inputs: cotangents of the new carries
  std::vector<std::optional<ValueId>> result_seeds;  // inputs: of the collected values
  std::vector<std::optional<ValueId>> cotangents;    // of the body's inputs
  std::vector<bool> is_backward;                     // by value: depends on a seed
  std::vector<bool> is_invariant;                    // by value: the same in every round
};

/// `reaches_carry[i]`: the last value of carry i, or a later round's result through it, has a
/// cotangent; grows until it holds for all that do. `wants[i]`: a cotangent of operand i is wanted.
/// Throws Error where a derivative is missing.
DerivativeRound make_derivative_round(const ScanForm& form, std::vector<bool>& reaches_carry,
                                      const std::vector<bool>& reaches_collected,
                                      const std::vector<bool>& wants);

/// What the backward part of a round takes from the forward part.
struct Residuals {
  std::set<ValueId> stored;  // collected by the forward scan
  std::set<ValueId> needed;  // all values the backward scan computes or is given
};

/// For a backward scan that computes `targets`; `kept` are forward values that are needed stacked.
Residuals choose_residuals(const DerivativeRound& round, const ScanForm& form,
                           const std::vector<ValueId>& targets, const std::set<ValueId>& kept);

}  // namespace gradc::ops
