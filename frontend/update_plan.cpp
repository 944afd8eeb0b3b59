// Deals the parameters to the optimizers and says what does not fit.
#include "frontend/update_plan.h"

#include <algorithm>

#include "runtime/core/did_you_mean.h"
#include "runtime/core/path_pattern.h"

namespace gradc {

namespace {

bool is_selected(const std::vector<ast::Pattern>& patterns, const std::string& path) {
  return std::ranges::any_of(
      patterns, [&](const ast::Pattern& pattern) { return selects(pattern.text, path); });
}

/// "a.kernel, a.bias, … (5 tensors)".
std::string path_list(const std::vector<const Owned*>& parameters) {
  constexpr size_t kShown = 4;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, parameters.size()); ++i)
    text += (i == 0 ? "" : ", ") + parameters[i]->path;
  if (parameters.size() > kShown) text += fmt::format(", … ({} tensors)", parameters.size());
  return text;
}

class Planner {
 public:
  Planner(const TrainEntries& settings, const std::vector<Published>& losses,
          const Ownership& ownership, Diagnostics& diagnostics)
      : settings_(settings), losses_(losses), diagnostics_(diagnostics) {
    for (const auto& owned : ownership.owned()) {
      everything_.push_back(owned.get());
      if (owned->kind == InputKind::Parameter && !is_selected(settings.freezes, owned->path))
        trained_.push_back(owned.get());
    }
  }

  std::vector<PlannedLoss> plan() {
    check_patterns(settings_.freezes, everything_);
    if (losses_.empty()) return {};
    if (settings_.optimizes.empty()) return plan_single();
    for (const OptimizeEntries& entries : settings_.optimizes) plan_optimize(entries);
    check_untrained();
    return std::move(plan_);
  }

 private:
  std::vector<PlannedLoss> plan_single() {
    if (losses_.size() > 1) {
      if (settings_.single.optimizer)
        diagnostics_.report(
            error("E0707", settings_.single.optimizer_span,
                  fmt::format("`optimizer` is for a model with one loss, and this one has {}",
                              losses_.size()))
                .with_help(optimize_advice(losses_)));
      return {};
    }
    add(settings_.single, 0, trained_);
    return std::move(plan_);
  }

  void plan_optimize(const OptimizeEntries& entries) {
    const auto loss = std::ranges::find(losses_, entries.loss.text, &Published::name);
    if (loss == losses_.end()) {
      std::vector<std::string> names;
      for (const Published& one : losses_) names.push_back(one.name);
      Diagnostic unknown = error("E0724", entries.loss.span,
                                 fmt::format("the model has no loss `{}`", entries.loss.text));
      unknown.note(fmt::format("it has: {}", fmt::join(names, ", ")));
      diagnostics_.report(std::move(unknown));
      return;
    }
    for (const PlannedLoss& other : plan_)
      if (&losses_[other.loss] == &*loss) {
        diagnostics_.report(error("E0721", entries.loss.span,
                                  fmt::format("`optimize {}` is given twice", entries.loss.text))
                                .note("the first is here", other.entries->loss.span));
        return;
      }
    std::vector<const Owned*> chosen;
    for (const Owned* parameter : trained_)
      if (entries.parameters.empty() || is_selected(entries.parameters, parameter->path))
        chosen.push_back(parameter);
    check_shared(entries, chosen);
    add(entries, static_cast<size_t>(loss - losses_.begin()), chosen);
  }

  // E0703.
  void check_shared(const OptimizeEntries& entries, const std::vector<const Owned*>& chosen) {
    for (const PlannedLoss& other : plan_) {
      std::vector<const Owned*> twice;
      for (const PlannedUpdate& update : other.updates)
        if (std::ranges::find(chosen, update.parameter) != chosen.end())
          twice.push_back(update.parameter);
      if (twice.empty()) continue;
      diagnostics_.report(error("E0703", place_of(entries),
                                fmt::format("`{}` and `{}` both train {}", other.entries->loss.text,
                                            entries.loss.text, path_list(twice)))
                              .note("the first", place_of(*other.entries))
                              .with_help("every parameter belongs to one `optimize`"));
    }
  }

  static Span place_of(const OptimizeEntries& entries) {
    return entries.parameters.empty() ? entries.loss.span : entries.parameters[0].span;
  }

  void add(const OptimizeEntries& entries, size_t loss, const std::vector<const Owned*>& chosen) {
    PlannedLoss planned{&entries, loss, {}};
    for (const Owned* parameter : chosen)
      planned.updates.push_back({parameter, with_groups(entries, *parameter)});
    for (const GroupEntries& group : entries.groups) check_patterns(group.patterns, chosen);
    plan_.push_back(std::move(planned));
  }

  FunctionRef with_groups(const OptimizeEntries& entries, const Owned& parameter) {
    if (!entries.optimizer) return nullptr;
    std::map<std::string, Span> given;
    std::shared_ptr<FunctionValue> changed;
    for (const GroupEntries& group : entries.groups) {
      if (!is_selected(group.patterns, parameter.path)) continue;
      for (const GroupEntries::Setting& setting : group.settings) {
        const auto [first, is_new] = given.emplace(setting.name.text, setting.name.span);
        if (!is_new)
          diagnostics_.report(
              error("E0713", setting.name.span,
                    fmt::format("two groups set `{}` of {}", setting.name.text, parameter.path))
                  .note("the first is here", first->second));
        if (!changed) changed = std::make_shared<FunctionValue>(*entries.optimizer);
        for (BoundArgument& argument : changed->arguments)
          if (argument.name == setting.name.text) argument.value = setting.value;
      }
    }
    if (!changed) return entries.optimizer;
    changed->count_depth();
    return changed;
  }

  // E0702; a pattern that selects nothing is the likely reason.
  void check_untrained() {
    std::vector<const Owned*> untrained = trained_;
    for (const PlannedLoss& planned : plan_)
      for (const PlannedUpdate& update : planned.updates) std::erase(untrained, update.parameter);
    if (untrained.empty() || diagnostics_.has_errors()) {
      for (const OptimizeEntries& entries : settings_.optimizes)
        check_patterns(entries.parameters, everything_);
      return;
    }
    const ast::Pattern* idle = nullptr;
    for (const OptimizeEntries& entries : settings_.optimizes)
      for (const ast::Pattern& pattern : entries.parameters)
        if (!idle && !selects_any(pattern, everything_)) idle = &pattern;
    Diagnostic finding = error("E0702", idle ? idle->span : settings_.optimizes.back().loss.span,
                               fmt::format("no optimizer trains {}", path_list(untrained)));
    if (idle) finding.note(fmt::format("the pattern \"{}\" selects nothing", idle->text));
    finding.help =
        idle ? "one set of weights used twice is `shared NAME = LAYER(…)`; what is not to "
               "be trained is frozen: freeze \"…\""
             : fmt::format("another `optimize`, or freeze \"{}\"", untrained[0]->path);
    diagnostics_.report(std::move(finding));
  }

  static bool selects_any(const ast::Pattern& pattern, const std::vector<const Owned*>& among) {
    return std::ranges::any_of(
        among, [&](const Owned* owned) { return selects(pattern.text, owned->path); });
  }

  // E0704.
  void check_patterns(const std::vector<ast::Pattern>& patterns,
                      const std::vector<const Owned*>& among) {
    for (const ast::Pattern& pattern : patterns) {
      if (selects_any(pattern, among)) continue;
      std::vector<std::string> paths;
      for (const Owned* owned : among) add_with_parents(owned->path, paths);
      const std::vector<std::string> close = nearest(pattern.text, paths, 3);
      Diagnostic finding = error("E0704", pattern.span, "the pattern selects nothing");
      if (!close.empty()) {
        finding.note(fmt::format("nearest: {}", fmt::join(close, ", ")));
        finding.help = fmt::format("\"{}\"", close[0]);
      }
      diagnostics_.report(std::move(finding));
    }
  }

  // "a.b.kernel" adds "a", "a.b", "a.b.kernel".
  static void add_with_parents(const std::string& path, std::vector<std::string>& paths) {
    for (size_t end = path.find('.'); true; end = path.find('.', end + 1)) {
      std::string part = path.substr(0, end);
      if (std::ranges::find(paths, part) == paths.end()) paths.push_back(std::move(part));
      if (end == std::string::npos) return;
    }
  }

  const TrainEntries& settings_;
  const std::vector<Published>& losses_;
  Diagnostics& diagnostics_;
  std::vector<const Owned*> everything_;
  std::vector<const Owned*> trained_;
  std::vector<PlannedLoss> plan_;
};

}  // namespace

std::vector<PlannedLoss> plan_updates(const TrainEntries& settings,
                                      const std::vector<Published>& losses,
                                      const Ownership& ownership, Diagnostics& diagnostics) {
  return Planner(settings, losses, ownership, diagnostics).plan();
}

std::string optimize_advice(const std::vector<Published>& losses) {
  std::vector<std::string> names;
  for (const Published& loss : losses) names.push_back(loss.name);
  return fmt::format("optimize {} {{ parameters = …; optimizer = … }}, one for each of {}",
                     names.at(0), fmt::join(names, ", "));
}

}  // namespace gradc
