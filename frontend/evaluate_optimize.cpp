// The entries that say how parameters change: optimizers, their settings by group, what is
// selected.
#include <algorithm>
#include <filesystem>

#include "frontend/evaluate_train.h"
#include "runtime/core/did_you_mean.h"

namespace gradc {

FunctionRef TrainEvaluator::evaluate_optimizer(const std::string& key, const ast::Expr& expr) {
  const Value value = evaluate(expr);
  if (value.is_none()) return nullptr;
  const FunctionValue* function = value.function();
  if (!function || function->kind != FunctionKind::Optimizer)
    refuse(key,
           key == "averaging" ? "an optimizer such as ema, or none"
                              : "an optimizer such as sgd, or none",
           value, expr.span);
  if (function->is_configured) return *value.as<FunctionRef>();
  const Value configured = elaborator_.call_from(*value.as<FunctionRef>(), {}, expr.span, file_);
  return *configured.as<FunctionRef>();
}

void TrainEvaluator::set_update(OptimizeEntries& target, const std::string& key,
                                const ast::Expr& value) {
  guarded([&] { evaluate_update(target, key, value); });
}

void TrainEvaluator::evaluate_update(OptimizeEntries& target, const std::string& key,
                                     const ast::Expr& expr) {
  if (key == "optimizer") {
    target.optimizer_span = expr.span;
    target.optimizer = evaluate_optimizer(key, expr);
  } else if (key == "parameters") {
    target.parameters = patterns(key, expr);
  } else if (key == "every") {
    target.every = whole(expr, key, 1);
  } else {
    const Value value = evaluate(expr);
    if (!value.function()) refuse(key, "a function of the list of gradients", value, expr.span);
    target.gradients = *value.as<FunctionRef>();
    target.gradients_span = expr.span;
  }
}

std::vector<ast::Pattern> TrainEvaluator::patterns(const std::string& key, const ast::Expr& expr) {
  const Value value = evaluate(expr);
  std::vector<ast::Pattern> found;
  const auto add = [&](const Value& one, Span span) {
    const std::string* text = one.as<std::string>();
    if (!text) refuse(key, "a pattern such as \"critic\", or a list of them", value, expr.span);
    found.push_back({*text, span});
  };
  const std::vector<Value>* list = value.elements();
  if (!list || list->empty()) {
    add(value, expr.span);
    return found;
  }
  // A list that is written here shows which of its patterns is meant.
  const auto* written = expr.as<ast::List>();
  const bool is_by_element = written && written->elements.size() == list->size();
  for (size_t i = 0; i < list->size(); ++i)
    add((*list)[i], is_by_element ? written->elements[i]->span : expr.span);
  return found;
}

Value TrainEvaluator::checked_setting(const FunctionValue& optimizer, const ast::Name& name,
                                      const ast::Expr& value) {
  auto bare = std::make_shared<FunctionValue>(optimizer);
  bare->is_configured = false;
  bare->arguments.clear();
  std::vector<Argument> arguments{{name.text, name.span, evaluate(value), value.span}};
  for (const BoundArgument& other : optimizer.arguments)
    if (other.name != name.text)
      arguments.push_back({other.name, value.span, other.value, value.span});
  const Value checked =
      elaborator_.call_from(FunctionRef(bare), std::move(arguments), value.span, file_);
  for (const BoundArgument& argument : checked.function()->arguments)
    if (argument.name == name.text) return argument.value;
  CHECK(false, "the setting {} was bound and is not there", name.text);
}

void TrainEvaluator::set_optimizer(OptimizeEntries& target, const std::string& prefix,
                                   const std::string& name, const ast::Expr& value) {
  if (!target.optimizer) {
    if (diagnostics_.has_errors()) return;
    throw Error(ExitCode::Usage, "E0719",
                fmt::format("--set {}{}: the train block has no optimizer", prefix, name));
  }
  std::vector<std::string> keys;
  for (const BoundArgument& setting : target.optimizer->arguments)
    keys.push_back(prefix + setting.name);
  if (std::ranges::find(keys, prefix + name) == keys.end())
    throw Error(ExitCode::Usage, "E0719",
                fmt::format("--set {}{}: there is no such key; the nearest are {}", prefix, name,
                            fmt::join(nearest(prefix + name, keys, 3), ", ")));
  guarded([&] {
    auto changed = std::make_shared<FunctionValue>(*target.optimizer);
    const Value checked = checked_setting(*changed, {name, value.span}, value);
    for (BoundArgument& setting : changed->arguments)
      if (setting.name == name) setting.value = checked;
    changed->count_depth();
    target.optimizer = std::move(changed);
  });
}

void TrainEvaluator::add_group(OptimizeEntries& target, const ast::Group& group) {
  GroupEntries entries;
  entries.patterns = group.patterns;
  for (const ast::Entry& entry : group.entries) {
    const auto* setting = entry.as<ast::Setting>();
    if (!setting) {
      diagnostics_.report(error("E0710", entry.span, "a `group` holds settings of the optimizer"));
      continue;
    }
    if (!target.optimizer) continue;
    guarded([&] {
      entries.settings.push_back(
          {setting->key, checked_setting(*target.optimizer, setting->key, *setting->value)});
    });
  }
  target.groups.push_back(std::move(entries));
}

// `load` is no function of the language: it only stands here.
StartEntry TrainEvaluator::evaluate_start(const ast::Expr& expr) {
  const auto* call = expr.as<ast::Call>();
  const auto* callee = call ? call->callee->as<ast::NameRef>() : nullptr;
  const auto fail = [&](Span span) {
    elaborator_.fail("E0720", span,
                     "`start` is load(\"FILE\") or load(\"FILE\", only = \"PATTERN\")");
  };
  if (!callee || callee->text != "load") fail(expr.span);
  StartEntry start;
  for (const ast::Argument& argument : call->arguments) {
    if (argument.name && argument.name->text == "only") {
      for (const ast::Pattern& pattern : patterns("only", *argument.value))
        start.only.push_back(pattern.text);
      continue;
    }
    const Value path = evaluate(*argument.value);
    if (argument.name || !path.as<std::string>() || !start.path.empty()) fail(argument.value->span);
    // Relative to the file of the model.
    const std::filesystem::path folder =
        std::filesystem::path(file_.file().source->name()).parent_path();
    start.path = (folder / *path.as<std::string>()).string();
  }
  if (start.path.empty()) fail(expr.span);
  return start;
}

}  // namespace gradc
