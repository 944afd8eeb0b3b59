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
  /// `parameters`, `optimizer`, `every` or `gradients`.
  void set_update(OptimizeEntries& target, const std::string& key, const ast::Expr& value);
  /// A setting of the optimizer; throws Error (Usage) where it has none of that name. `prefix` is
  /// what stands before the name in `--set`.
  void set_optimizer(OptimizeEntries& target, const std::string& prefix, const std::string& name,
                     const ast::Expr& value);
  /// The optimizer is known.
  void add_group(OptimizeEntries& target, const ast::Group& group);
  /// Fills in what depends on other entries.
  void finish();

 private:
  void evaluate_entry(const std::string& key, const ast::Expr& value);
  void evaluate_update(OptimizeEntries& target, const std::string& key, const ast::Expr& value);
  [[noreturn]] void refuse(const std::string& key, const std::string& wanted, const Value& value,
                           Span span);
  FunctionRef evaluate_optimizer(const std::string& key, const ast::Expr& value);
  /// The value of one setting after the optimizer's own check of its kind.
  Value checked_setting(const FunctionValue& optimizer, const ast::Name& name,
                        const ast::Expr& value);
  std::vector<ast::Pattern> patterns(const std::string& key, const ast::Expr& value);
  StartEntry evaluate_start(const ast::Expr& value);
  Value evaluate(const ast::Expr& value);
  std::string data_text(const ast::Expr& value);
  std::string data_argument(const ast::Expr& value);
  int64_t whole(const ast::Expr& expr, const std::string& key, int64_t lowest);
  /// Reports what the action throws.
  void guarded(const std::function<void()>& action);

  const FileScope& file_;
  const ast::Model& model_;
  Diagnostics& diagnostics_;
  TrainEntries& settings_;
  int64_t training_rows_;
  Elaborator elaborator_;
  bool has_eval_batch_ = false;
};

}  // namespace gradc
