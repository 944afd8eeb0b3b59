// Evaluates the entries of a `train` block.
#include "frontend/train_block.h"

#include <algorithm>

#include "frontend/did_you_mean.h"
#include "frontend/evaluate_train.h"
#include "frontend/parse.h"

namespace gradc {

namespace {

constexpr std::string_view kEntries[] = {"data",       "test",      "batch",    "eval_batch",
                                         "epochs",     "steps",     "seed",     "shuffle",
                                         "last_batch", "optimizer", "gradients"};
constexpr std::string_view kLaterEntries[] = {"averaging", "start"};

bool is_entry(std::string_view key) {
  return std::ranges::find(kEntries, key) != std::end(kEntries);
}

}  // namespace

TrainBlock::TrainBlock(const FileScope& file, const ElaborationOptions& options,
                       Diagnostics& diagnostics)
    : file_(file) {
  for (const ast::Item& item : file.file().items)
    if (const auto* train = item.as<ast::Train>()) train_ = train;
  find_model(diagnostics);
  for (const auto& [key, text] : options.overrides) {
    Diagnostics findings;
    Override added{key, nullptr, Source::make("--set " + key, text)};
    added.value = parse_expression(added.source, findings);
    if (!added.value || findings.has_errors())
      throw Error(ExitCode::Usage, "E0719",
                  fmt::format("--set {}={}: {}", key, text,
                              findings.sorted().empty() ? "no expression"
                                                        : findings.sorted().front()->message));
    std::erase_if(overrides_, [&key_text = key](const Override& o) { return o.key == key_text; });
    overrides_.push_back(std::move(added));
  }
  if (model_) check_overrides();
}

void TrainBlock::find_model(Diagnostics& diagnostics) {
  if (train_) {
    const Definition found = file_.find_own(train_->model.text);
    if (!found.item) return;  // the name check has reported it
    model_ = found.item->as<ast::Model>();
    model_file_ = found.home;
    if (!model_)
      diagnostics.report(
          error("E0718", train_->model.span, fmt::format("`{}` is no model", train_->model.text)));
    return;
  }
  for (const ast::Item& item : file_.file().items) {
    const auto* model = item.as<ast::Model>();
    if (!model) continue;
    if (model_)
      diagnostics.report(
          error("E0718", model->name.span, "several models and no `train` block to choose one")
              .note("the first", model_->name.span));
    model_ = model;
    model_file_ = &file_;
  }
  const Source* source = file_.file().source.get();
  if (!model_) diagnostics.report(error("E0718", {source, 0, 0}, "the file defines no model"));
}

std::vector<std::string> TrainBlock::known_keys() const {
  std::vector<std::string> keys(std::begin(kEntries), std::end(kEntries));
  for (const ast::Parameter& parameter : model_->callable.parameters) {
    if (!parameter.type || !parameter.type->is_tensor)
      keys.push_back("model." + parameter.name.text);
    else
      for (size_t axis = 1; axis < parameter.type->dims.size(); ++axis)
        if (const auto* name = parameter.type->dims[axis]->as<ast::NameRef>())
          keys.push_back("model." + name->text);
  }
  return keys;
}

// Settings of the optimizer are checked when it is known.
void TrainBlock::check_overrides() const {
  const std::vector<std::string> keys = known_keys();
  for (const Override& given : overrides_) {
    if (given.key.starts_with("optimizer.")) continue;
    if (std::ranges::find(keys, given.key) != keys.end()) continue;
    const auto close = nearest(given.key, keys, 3);
    throw Error(ExitCode::Usage, "E0719",
                fmt::format("--set {}: there is no such key; the nearest are {}", given.key,
                            fmt::join(close, ", ")));
  }
}

const Override* TrainBlock::find_override(const std::string& key) const {
  for (const Override& given : overrides_)
    if (given.key == key) return &given;
  return nullptr;
}

TrainEntries TrainBlock::evaluate(int64_t training_rows, Diagnostics& diagnostics) const {
  TrainEntries settings;
  TrainEvaluator evaluator(file_, *model_, diagnostics, settings, training_rows);
  if (train_)
    for (const ast::Argument& argument : train_->arguments)
      if (argument.name)
        evaluator.give_model(argument.name->text, *argument.value, argument.value->span);
  for (const Override& given : overrides_)
    if (given.key.starts_with("model."))
      evaluator.give_model(given.key.substr(6), *given.value, given.value->span);
  // The last entry of two that exclude each other counts: an override is last.
  std::vector<std::pair<std::string, const ast::Expr*>> entries;
  if (train_) {
    for (const ast::Entry& entry : train_->entries) {
      const auto* setting = entry.as<ast::Setting>();
      if (!setting) {
        diagnostics.report(
            error("E0805", entry.span, "`optimize`, `group` and `freeze` are not supported yet"));
      } else if (is_entry(setting->key.text)) {
        if (!find_override(setting->key.text))
          entries.emplace_back(setting->key.text, setting->value.get());
      } else if (std::ranges::find(kLaterEntries, setting->key.text) != std::end(kLaterEntries)) {
        diagnostics.report(error("E0805", setting->key.span,
                                 fmt::format("`{}` is not supported yet", setting->key.text)));
      } else {
        evaluator.report_unknown_entry(setting->key);
      }
    }
  }
  for (const Override& given : overrides_)
    if (is_entry(given.key)) entries.emplace_back(given.key, given.value.get());
  // `total_steps` needs the batch and the epochs, so these come first.
  std::ranges::stable_sort(entries, {}, [](const auto& entry) {
    return entry.first == "optimizer" || entry.first == "gradients";
  });
  for (const auto& [key, value] : entries) evaluator.set(key, *value);
  for (const Override& given : overrides_)
    if (given.key.starts_with("optimizer."))
      evaluator.set_optimizer(given.key.substr(10), *given.value);
  evaluator.finish();
  return settings;
}

Attrs TrainBlock::attributes(const TrainEntries& settings) {
  Attrs attrs;
  attrs.set("data", settings.data);
  attrs.set("test", settings.test);
  attrs.set("batch", settings.batch);
  attrs.set("eval_batch", settings.eval_batch);
  if (settings.steps)
    attrs.set("steps", *settings.steps);
  else
    attrs.set("epochs", settings.epochs.value_or(1));
  attrs.set("shuffle", settings.shuffle);
  attrs.set("last_batch", settings.last_batch);
  attrs.set("seed", settings.seed);
  attrs.set("optimizer", settings.optimizer ? to_text(Value(settings.optimizer)) : "none");
  return attrs;
}

}  // namespace gradc
