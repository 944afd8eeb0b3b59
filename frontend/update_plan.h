// Which optimizer updates which parameter by which loss, with which settings.
#pragma once
#include "frontend/train_block.h"

namespace gradc {

struct PlannedUpdate {
  const Owned* parameter;
  FunctionRef optimizer;  // with the settings of the parameter's groups; null: evaluate only
};

/// One loss and the parameters that it alone trains.
struct PlannedLoss {
  const OptimizeEntries* entries;
  size_t loss;  // position among the losses
  std::vector<PlannedUpdate> updates;
};

/// Every parameter that is not frozen is in exactly one. Empty without a loss, and with several but
/// neither `optimizer` nor `optimize`. Reports E0702, E0703, E0704, E0707, E0713 and E0724.
std::vector<PlannedLoss> plan_updates(const TrainEntries& settings,
                                      const std::vector<Published>& losses,
                                      const Ownership& ownership, Diagnostics& diagnostics);

/// "optimize a { parameters = …; optimizer = … }, one for each of a, b".
std::string optimize_advice(const std::vector<Published>& losses);

}  // namespace gradc
