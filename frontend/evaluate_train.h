// Evaluates entries of a `train` block one by one.
#pragma once
#include "frontend/train_block.h"

namespace gradc {

class TrainEvaluator {
 public:
  TrainEvaluator(const FileScope& file, const ast::Model& model, Diagnostics& diagnostics,
                 TrainEntries& settings, int64_t training_rows);

  /// A compile-time argument of the model, or one of its free dimensions.
  void give_model(const std::string& name, const ast::Expr& value, Span span);
  /// An entry that exists; errors are reported.
  void set(const std::string& key, const ast::Expr& value);
  /// A setting of the optimizer; throws Error (Usage) where it has none of that name.
  void set_optimizer(const std::string& name, const ast::Expr& value);
  void report_unknown_entry(const ast::Name& key);
  /// Fills in what depends on other entries.
  void finish();

 private:
  void evaluate_entry(const std::string& key, const ast::Expr& value);
  Value evaluate(const ast::Expr& value);
  std::string data_text(const ast::Expr& value);
  std::string data_argument(const ast::Expr& value);
  int64_t whole(const ast::Expr& expr, const std::string& key, int64_t lowest);
  FunctionRef configured(const FunctionRef& optimizer, Span span);
  template <typename Action>
  void guarded(Action action);

  const FileScope& file_;
  const ast::Model& model_;
  Diagnostics& diagnostics_;
  TrainEntries& settings_;
  int64_t training_rows_;
  Elaborator elaborator_;
  bool has_eval_batch_ = false;
};

}  // namespace gradc
