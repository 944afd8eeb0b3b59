// A model written by hand, for sessions and training: finds the mean of a column by gradient
// descent.
#pragma once
#include <map>
#include <set>

#include "runtime/session.h"

namespace gradc {

/// Data: `x` f32[rows], `label` u8[rows] below 10. Parameter `center`, slot `center:velocity`,
/// loss mean((x - center)^2), metric `spread`: the loss of the pass, exact over batches of any
/// size.
class MeanModel : public ProgramSource {
 public:
  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override;

  /// Row counts of the programs made, in order.
  std::vector<std::pair<GraphMode, int64_t>> made;
};

/// x = 0, 1, 2, ... and labels x mod 10.
Dataset counting_data(int64_t rows);

}  // namespace gradc
