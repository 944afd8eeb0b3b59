// The `train` block of a model file, evaluated, with the overrides of the command line.
#pragma once
#include <optional>

#include "frontend/elaborator.h"
#include "frontend/model.h"

namespace gradc {

/// One `--set KEY=EXPR`.
struct Override {
  std::string key;
  ast::ExprPtr value;
  std::shared_ptr<const Source> source;
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
  FunctionRef optimizer;  // configured; null: evaluate only
  Span optimizer_span;
  FunctionRef gradients;  // null: as they are
  Span gradients_span;
  std::map<std::string, ModelArguments::Given> model_arguments;
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
  void check_overrides() const;
  std::vector<std::string> known_keys() const;
  const Override* find_override(const std::string& key) const;

  const FileScope& file_;
  const ast::Train* train_ = nullptr;
  const ast::Model* model_ = nullptr;
  const FileScope* model_file_ = nullptr;
  std::vector<Override> overrides_;
};

}  // namespace gradc
