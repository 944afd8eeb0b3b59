// The `train` block of a model file, evaluated, with the overrides of the command line.
#pragma once
#include <optional>

#include "frontend/elaborator.h"
#include "frontend/model.h"

namespace gradc {

class TrainEvaluator;

/// One `--set KEY=EXPR`.
struct Override {
  std::string key;
  ast::ExprPtr value;
  std::shared_ptr<const Source> source;
};

/// `group PATTERNS { NAME = … }`: other settings of the optimizer for some parameters.
struct GroupEntries {
  struct Setting {
    ast::Name name;
    Value value;
  };
  std::vector<ast::Pattern> patterns;
  std::vector<Setting> settings;
};

/// `optimize LOSS { … }`, or the same entries directly in the block.
struct OptimizeEntries {
  ast::Name loss;                        // empty: the only loss
  std::vector<ast::Pattern> parameters;  // empty: all
  FunctionRef optimizer;                 // configured; null: evaluate only
  Span optimizer_span;
  FunctionRef gradients;  // null: as they are
  Span gradients_span;
  int64_t every = 1;
  std::vector<GroupEntries> groups;
};

/// `start = load("FILE", only = "PATTERN")`.
struct StartEntry {
  std::string path;
  std::vector<std::string> only;  // patterns; empty: everything
};

/// The evaluated entries.
struct TrainEntries {
  std::string data;
  std::string test;
  int64_t batch = 32;
  int64_t eval_batch = 32;
  std::optional<int64_t> epochs;
  std::optional<int64_t> steps;
  bool shuffle = true;
  std::string last_batch = "keep";
  int64_t seed = 0;
  OptimizeEntries single;                  // of a block without `optimize`
  std::vector<OptimizeEntries> optimizes;  // one per `optimize`
  FunctionRef averaging;                   // null: none
  Span averaging_span;
  std::optional<StartEntry> start;
  std::vector<ast::Pattern> freezes;
  std::map<std::string, ModelArguments::Given> model_arguments;
  /// An entry that depends on the number of training rows, evaluated while that is not known: good
  /// for everything but a training step.
  Span provisional;

  bool trains() const { return single.optimizer || !optimizes.empty(); }
};

/// Finds the model and the train block of a file and evaluates its entries.
class TrainBlock {
 public:
  /// Throws Error (Usage) for an unreadable override; reports a file without a model (E0718).
  TrainBlock(const FileScope& file, const ElaborationOptions& options, Diagnostics& diagnostics);

  /// Null after an error.
  const ast::Model* model() const { return model_; }
  const FileScope& model_file() const { return *model_file_; }
  /// Reports errors; `training_rows` 0: not known.
  TrainEntries evaluate(int64_t training_rows, Diagnostics& diagnostics) const;
  /// As attributes, for the tools.
  static Attrs attributes(const TrainEntries& settings);

 private:
  void find_model(Diagnostics& diagnostics);
  std::vector<const ast::Optimize*> optimizes() const;
  void check_overrides() const;
  void evaluate_settings(TrainEvaluator& evaluator) const;
  void evaluate_optimizers(TrainEvaluator& evaluator, TrainEntries& settings,
                           Diagnostics& diagnostics) const;
  /// The entries of an `optimize` or of the block itself, overrides under `prefix` last.
  void evaluate_optimize(TrainEvaluator& evaluator, OptimizeEntries& target,
                         const std::vector<ast::Entry>& entries, const std::string& prefix) const;
  std::vector<std::string> known_keys() const;
  const Override* find_override(const std::string& key) const;

  const FileScope& file_;
  const ast::Train* train_ = nullptr;
  const ast::Model* model_ = nullptr;
  const FileScope* model_file_ = nullptr;
  std::vector<Override> overrides_;
};

}  // namespace gradc
