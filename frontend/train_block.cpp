// Evaluates the entries of a `train` block.
#include "frontend/train_block.h"

#include <algorithm>

#include "frontend/evaluate_train.h"
#include "frontend/parse.h"
#include "runtime/core/did_you_mean.h"

namespace gradc {

namespace {

// What stands in the block itself, whatever updates the parameters.
constexpr std::string_view kEntries[] = {"data",    "test",       "batch",    "eval_batch",
                                         "epochs",  "steps",      "seed",     "start",
                                         "shuffle", "last_batch", "averaging"};
constexpr std::string_view kSingleEntries[] = {"optimizer", "gradients"};
constexpr std::string_view kOptimizeEntries[] = {"parameters", "optimizer", "every", "gradients"};

template <typename Keys>
bool is_among(const Keys& keys, std::string_view key) {
  return std::ranges::find(keys, key) != std::end(keys);
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

std::vector<const ast::Optimize*> TrainBlock::optimizes() const {
  std::vector<const ast::Optimize*> found;
  if (!train_) return found;
  for (const ast::Entry& entry : train_->entries)
    if (const auto* optimize = entry.as<ast::Optimize>()) found.push_back(optimize);
  return found;
}

std::vector<std::string> TrainBlock::known_keys() const {
  std::vector<std::string> keys(std::begin(kEntries), std::end(kEntries));
  for (const ast::Optimize* optimize : optimizes())
    for (const std::string_view key : kOptimizeEntries)
      keys.push_back(fmt::format("{}.{}", optimize->loss.text, key));
  if (optimizes().empty()) keys.insert(keys.end(), kSingleEntries, std::end(kSingleEntries));
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

// Settings of an optimizer are checked when it is known.
void TrainBlock::check_overrides() const {
  const std::vector<std::string> keys = known_keys();
  for (const Override& given : overrides_) {
    bool is_known = is_among(keys, given.key);
    if (optimizes().empty()) is_known |= given.key.starts_with("optimizer.");
    for (const ast::Optimize* optimize : optimizes())
      is_known |= given.key.starts_with(optimize->loss.text + ".optimizer.");
    if (is_known) continue;
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
  evaluate_settings(evaluator);
  evaluate_optimizers(evaluator, settings, diagnostics);
  evaluator.finish();
  return settings;
}

void TrainBlock::evaluate_settings(TrainEvaluator& evaluator) const {
  // The last entry of two that exclude each other counts: an override is last.
  std::vector<std::pair<std::string, const ast::Expr*>> entries;
  if (train_)
    for (const ast::Entry& entry : train_->entries) {
      const auto* setting = entry.as<ast::Setting>();
      if (setting && is_among(kEntries, setting->key.text) && !find_override(setting->key.text))
        entries.emplace_back(setting->key.text, setting->value.get());
    }
  for (const Override& given : overrides_)
    if (is_among(kEntries, given.key)) entries.emplace_back(given.key, given.value.get());
  // `total_steps` needs the batch and the epochs, so these come first.
  std::ranges::stable_sort(entries, {},
                           [](const auto& entry) { return entry.first == "averaging"; });
  for (const auto& [key, value] : entries) evaluator.set(key, *value);
}

void TrainBlock::evaluate_optimizers(TrainEvaluator& evaluator, TrainEntries& settings,
                                     Diagnostics& diagnostics) const {
  static const std::vector<ast::Entry> kNone;
  const std::vector<ast::Entry>& entries = train_ ? train_->entries : kNone;
  for (const ast::Entry& entry : entries)
    if (const auto* freeze = entry.as<ast::Freeze>())
      settings.freezes.insert(settings.freezes.end(), freeze->patterns.begin(),
                              freeze->patterns.end());
  const std::vector<const ast::Optimize*> blocks = optimizes();
  if (blocks.empty()) return evaluate_optimize(evaluator, settings.single, entries, "");
  for (const ast::Entry& entry : entries) {
    const auto* setting = entry.as<ast::Setting>();
    const bool is_inside = setting && is_among(kSingleEntries, setting->key.text);
    if (is_inside || entry.as<ast::Group>())
      diagnostics.report(error("E0723", entry.span,
                               "in a block with `optimize` this stands in the `optimize` it is for")
                             .note("the first `optimize`", blocks[0]->loss.span));
  }
  for (const ast::Optimize* optimize : blocks) {
    OptimizeEntries& target = settings.optimizes.emplace_back();
    target.loss = optimize->loss;
    evaluate_optimize(evaluator, target, optimize->entries, optimize->loss.text + ".");
    if (!target.optimizer && !diagnostics.has_errors())
      diagnostics.report(error("E0709", optimize->loss.span,
                               fmt::format("`optimize {}` has no optimizer", optimize->loss.text))
                             .with_help("optimizer = adam; or freeze its parameters"));
  }
}

void TrainBlock::evaluate_optimize(TrainEvaluator& evaluator, OptimizeEntries& target,
                                   const std::vector<ast::Entry>& entries,
                                   const std::string& prefix) const {
  const auto is_known = [&](const std::string& key) {
    return prefix.empty() ? is_among(kSingleEntries, key) : is_among(kOptimizeEntries, key);
  };
  for (const ast::Entry& entry : entries) {
    const auto* setting = entry.as<ast::Setting>();
    if (setting && is_known(setting->key.text) && !find_override(prefix + setting->key.text))
      evaluator.set_update(target, setting->key.text, *setting->value);
  }
  const std::string of_optimizer = prefix + "optimizer.";
  for (const Override& given : overrides_)
    if (given.key.starts_with(prefix) && is_known(given.key.substr(prefix.size())))
      evaluator.set_update(target, given.key.substr(prefix.size()), *given.value);
  for (const Override& given : overrides_)
    if (given.key.starts_with(of_optimizer))
      evaluator.set_optimizer(target, of_optimizer, given.key.substr(of_optimizer.size()),
                              *given.value);
  for (const ast::Entry& entry : entries)
    if (const auto* group = entry.as<ast::Group>()) evaluator.add_group(target, *group);
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
  const auto text = [](const FunctionRef& one) { return one ? to_text(Value(one)) : "none"; };
  std::string optimizer;
  for (const OptimizeEntries& optimize : settings.optimizes)
    optimizer += fmt::format("{}{}: {}", optimizer.empty() ? "" : ", ", optimize.loss.text,
                             text(optimize.optimizer));
  attrs.set("optimizer", optimizer.empty() ? text(settings.single.optimizer) : optimizer);
  if (settings.start) {
    attrs.set("start", settings.start->path);
    attrs.set("start_only", fmt::format("{}", fmt::join(settings.start->only, "\n")));
  }
  return attrs;
}

}  // namespace gradc
