// Cuts the graphs of a model out of one elaboration: training step, evaluation, prediction, initial
// values, metrics.
#pragma once
#include "frontend/split_metrics.h"
#include "frontend/train_block.h"
#include "frontend/update_plan.h"

namespace gradc {

/// What a pass sums over its batches of a loss or metric.
struct PassSums {
  std::string name;
  Span where;
  std::vector<std::pair<OutputKind, Type>> types;
};

/// A finished elaboration of a model's body, and what is made from it on demand.
class ModelGraphs {
 public:
  ModelGraphs(const TrainBlock& block, const TrainEntries& settings,
              const ModelArguments& arguments, const ElaborationSetup& setup,
              Diagnostics& diagnostics);

  /// Throws DiagnosticError or SilentFault.
  Graph make(GraphMode mode, const GraphRequest& request);
  const Elaborator& elaborator() const { return elaborator_; }
  bool has_outputs() const { return !elaborator_.outputs().empty(); }
  const Ownership& ownership() const { return elaborator_.ownership(); }
  /// What a pass sums of each loss and metric.
  std::vector<PassSums> sums() const;

 private:
  /// loss + penalties, one per loss.
  void add_penalties();
  void split_all();
  void require_plan() const;
  void run_optimizers();
  void update(const PlannedLoss& planned);
  void average(const UpdatedParameter& updated, TensorId acts, bool is_every);
  /// Where `acts` is false the slots from `first` on keep their values.
  void keep_slots(size_t first, TensorId acts);
  /// The derivatives of the loss by the parameters that it updates.
  const std::vector<TensorId>& gradients(const PlannedLoss& planned);
  std::vector<TensorId> processed_gradients(const PlannedLoss& planned);
  void warn_of_unused(const PlannedLoss& planned);
  void add_losses(std::vector<DraftOutput>& outputs) const;
  void add_accumulations(std::vector<DraftOutput>& outputs) const;
  /// A slot that begins with what only a step knows, such as the gradient.
  void refuse_late_slots(const Replacements& replace);
  Graph train_graph();
  Graph init_graph();
  Graph predict_graph();
  Graph run_graph(const GraphRequest& request);
  Graph metrics_graph();
  /// Running averages in the place of the parameters.
  Replacements averages();
  Graph extract(GraphMode mode, const std::vector<DraftOutput>& outputs,
                const Replacements& replace = {});

  const TrainBlock& block_;
  const TrainEntries& settings_;
  Diagnostics& diagnostics_;
  Elaborator elaborator_;
  std::vector<Published> losses_;  // with penalties
  DraftGraph front_;               // what is behind the accumulators of a pass
  std::vector<std::pair<Published, SplitMetric>> splits_;
  std::vector<PlannedLoss> plan_;  // of a training elaboration
  std::map<const PlannedLoss*, std::vector<TensorId>> gradients_;
  std::map<const Owned*, TensorId> updates_;
  std::vector<SlotUpdate> slots_;
  std::map<const Owned*, TensorId> averages_;  // inputs
  bool is_optimized_ = false;
};

}  // namespace gradc
