// Cuts the graphs of a model out of one elaboration: training step, evaluation, prediction, initial
// values, metrics.
#pragma once
#include "frontend/split_metrics.h"
#include "frontend/train_block.h"

namespace gradc {

/// A finished elaboration of a model's body, and what is made from it on demand.
class ModelGraphs {
 public:
  ModelGraphs(const TrainBlock& block, const TrainEntries& settings,
              const ModelArguments& arguments, const ElaborationSetup& setup,
              Diagnostics& diagnostics);

  /// Throws DiagnosticError or SilentFault.
  Graph make(GraphMode mode, const GraphRequest& request);
  const Elaborator& elaborator() const { return elaborator_; }
  const Ownership& ownership() const { return elaborator_.ownership(); }

 private:
  struct Update {
    const Owned* parameter;
    TensorId value;
  };
  /// loss + penalties, one per loss.
  void add_penalties();
  void split_all();
  void run_optimizers();
  std::vector<TensorId> gradients();
  std::vector<TensorId> processed_gradients();
  void warn_of_unused(const std::vector<const Owned*>& parameters);
  std::vector<const Owned*> parameters() const;
  void add_losses(std::vector<DraftOutput>& outputs) const;
  void add_accumulations(std::vector<DraftOutput>& outputs) const;
  Graph train_graph();
  Graph init_graph();
  Graph predict_graph();
  Graph run_graph(const GraphRequest& request);
  Graph metrics_graph();
  Graph extract(GraphMode mode, const std::vector<DraftOutput>& outputs,
                const Replacements& replace = {});

  const TrainBlock& block_;
  const TrainEntries& settings_;
  Diagnostics& diagnostics_;
  Elaborator elaborator_;
  std::vector<Published> losses_;  // with penalties
  DraftGraph front_;               // what is behind the accumulators of a pass
  std::vector<std::pair<std::string, SplitMetric>> splits_;
  std::optional<std::vector<TensorId>> gradients_;
  std::vector<Update> updates_;
  std::vector<SlotUpdate> slots_;
  bool is_optimized_ = false;
};

}  // namespace gradc
