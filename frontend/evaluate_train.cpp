// The meaning of each entry of a `train` block.
#include "frontend/evaluate_train.h"

#include <algorithm>

#include "runtime/core/did_you_mean.h"

namespace gradc {

namespace {

constexpr int64_t kMaxBatch = int64_t{1} << 31;

// Sources of data that are written as calls, and those built in.
constexpr std::string_view kDataFunctions[] = {"mnist", "csv",    "npz",  "npy",
                                               "text",  "images", "noise"};
constexpr std::string_view kBuiltinData[] = {"digits", "xor", "fizzbuzz", "noise"};

// Tensors belong to one elaboration, settings to all. Where the budget ends, the answer is yes.
bool holds_tensor(const Value& value, int64_t& budget) {
  if (value.as<TensorId>() || --budget < 0) return true;
  if (const std::vector<Value>* list = value.elements())
    for (const Value& element : *list)
      if (holds_tensor(element, budget)) return true;
  const FunctionValue* function = value.function();
  if (!function) return false;
  if (function->capture)
    for (const CapturedName& captured : function->capture->names)
      if (holds_tensor(captured.value, budget)) return true;
  for (const BoundArgument& argument : function->arguments)
    if (holds_tensor(argument.value, budget)) return true;
  return false;
}

/// Is `word` in the text?
bool mentions(Span span, std::string_view word) {
  return span.text().find(word) != std::string_view::npos;
}

}  // namespace

TrainEvaluator::TrainEvaluator(const FileScope& file, const ast::Model& model,
                               Diagnostics& diagnostics, TrainEntries& settings,
                               int64_t training_rows)
    : file_(file),
      model_(model),
      diagnostics_(diagnostics),
      settings_(settings),
      training_rows_(training_rows),
      elaborator_(ElaborationSetup{}, diagnostics) {}

void TrainEvaluator::guarded(const std::function<void()>& action) {
  try {
    action();
  } catch (const DiagnosticError& fault) {
    diagnostics_.report(fault.diagnostic);
  } catch (const SilentFault&) {
  }
}

Value TrainEvaluator::evaluate(const ast::Expr& value) {
  std::vector<Variable> names;
  const auto add = [&](const std::string& name, int64_t number) {
    names.push_back({name, number, {}, VariableRole::Binding, nullptr, {}});
  };
  if (training_rows_ > 0) {
    const bool drops = settings_.last_batch == "drop";
    const int64_t per_epoch =
        std::max<int64_t>(1, drops ? training_rows_ / settings_.batch
                                   : (training_rows_ + settings_.batch - 1) / settings_.batch);
    add("steps_per_epoch", per_epoch);
    add("total_steps", settings_.steps.value_or(settings_.epochs.value_or(1) * per_epoch));
  } else {
    const bool needs_rows = mentions(value.span, "steps_per_epoch") ||
                            (!settings_.steps && mentions(value.span, "total_steps"));
    if (needs_rows) settings_.provisional = value.span;
    add("steps_per_epoch", 1);
    add("total_steps", settings_.steps.value_or(1));
  }
  const Value result = elaborator_.evaluate_in_file(value, file_, names);
  int64_t budget = ElaborationSetup::kMaxElements;
  if (holds_tensor(result, budget))
    elaborator_.fail("E0720", value.span,
                     "the `train` block knows no tensors, only numbers, "
                     "strings, lists and functions");
  return result;
}

void TrainEvaluator::give_model(const std::string& name, const ast::Expr& value, Span span) {
  guarded([&] { settings_.model_arguments[name] = {evaluate(value), span}; });
}

void TrainEvaluator::set(const std::string& key, const ast::Expr& value) {
  guarded([&] { evaluate_entry(key, value); });
}

int64_t TrainEvaluator::whole(const ast::Expr& expr, const std::string& key, int64_t lowest) {
  const Value value = evaluate(expr);
  const NumberValue* number = value.as<NumberValue>();
  const auto result = number ? number->whole() : std::nullopt;
  if (!result || *result < lowest)
    elaborator_.fail("E0720", expr.span,
                     fmt::format("`{}` is a whole number of at least {}, got {}", key, lowest,
                                 elaborator_.describe(value)));
  return *result;
}

void TrainEvaluator::refuse(const std::string& key, const std::string& wanted, const Value& value,
                            Span span) {
  elaborator_.fail("E0720", span,
                   fmt::format("`{}` is {}, got {}", key, wanted, elaborator_.describe(value)));
}

void TrainEvaluator::evaluate_entry(const std::string& key, const ast::Expr& expr) {
  // What decides how many steps there are, or which data is read.
  if (key != "averaging" &&
      (mentions(expr.span, "total_steps") || mentions(expr.span, "steps_per_epoch")))
    elaborator_.fail("E0722", expr.span,
                     fmt::format("`{}` cannot depend on the number of steps", key));
  if (key == "data" || key == "test") {
    (key == "data" ? settings_.data : settings_.test) = data_text(expr);
  } else if (key == "batch" || key == "eval_batch") {
    const int64_t size = whole(expr, key, 1);
    if (size > kMaxBatch) refuse(key, fmt::format("at most {}", kMaxBatch), size, expr.span);
    (key == "batch" ? settings_.batch : settings_.eval_batch) = size;
    has_eval_batch_ |= key == "eval_batch";
  } else if (key == "epochs") {
    settings_.epochs = whole(expr, key, 0);
    settings_.steps.reset();
  } else if (key == "steps") {
    settings_.steps = whole(expr, key, 0);
    settings_.epochs.reset();
  } else if (key == "seed") {
    settings_.seed = whole(expr, key, 0);
  } else if (key == "shuffle") {
    const Value value = evaluate(expr);
    if (!value.as<bool>()) refuse(key, "true or false", value, expr.span);
    settings_.shuffle = *value.as<bool>();
  } else if (key == "last_batch") {
    const Value value = evaluate(expr);
    const std::string* text = value.as<std::string>();
    if (!text || (*text != "keep" && *text != "drop"))
      refuse(key, "\"keep\" or \"drop\"", value, expr.span);
    settings_.last_batch = *text;
  } else if (key == "start") {
    settings_.start = evaluate_start(expr);
  } else {
    settings_.averaging = evaluate_optimizer(key, expr);
    settings_.averaging_span = expr.span;
  }
}

void TrainEvaluator::finish() {
  if (!has_eval_batch_) settings_.eval_batch = settings_.batch;
}

std::string TrainEvaluator::data_argument(const ast::Expr& value) {
  return to_text(evaluate(value));
}

// `digits`, csv("homes.csv", test = 0.2), or the path of a file or folder.
std::string TrainEvaluator::data_text(const ast::Expr& expr) {
  const auto is_among = [](const auto& names, const std::string& name) {
    return std::ranges::find(names, name) != std::end(names);
  };
  const auto* name = expr.as<ast::NameRef>();
  if (name && is_among(kBuiltinData, name->text) && !file_.find(name->text).item) return name->text;
  const auto* call = expr.as<ast::Call>();
  const auto* callee = call ? call->callee->as<ast::NameRef>() : nullptr;
  if (callee && is_among(kDataFunctions, callee->text) && !file_.find(callee->text).item) {
    std::string text;
    for (const ast::Argument& argument : call->arguments) {
      text += text.empty() ? "" : ", ";
      if (argument.name) text += argument.name->text + " = ";
      text += data_argument(*argument.value);
    }
    return callee->text + "(" + text + ")";
  }
  const Value value = evaluate(expr);
  if (const std::string* path = value.as<std::string>()) return *path;
  elaborator_.fail(
      "E0720", expr.span,
      fmt::format("data is digits, xor, fizzbuzz, mnist(\"folder\"), … or a path, got {}",
                  elaborator_.describe(value)));
}

}  // namespace gradc
