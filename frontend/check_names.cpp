// Checks of a file on reading: its definitions, the cycles between them, what is never used.
#include "frontend/check_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/name_checker.h"

namespace gradc {

void check_names(const ast::File& file, const NameScope& scope, Diagnostics& diagnostics) {
  NameChecker checker(file, scope, diagnostics);
  checker.run();
}

NameChecker::NameChecker(const ast::File& file, const NameScope& scope, Diagnostics& diagnostics)
    : file_(file), diagnostics_(diagnostics) {
  collect_names(scope);
}

void NameChecker::run() {
  for (const ast::Item& item : file_.items) {
    item_ = &item;
    item_names_.reset();
    check_item(item);
  }
  report_cycles();
  report_unused_definitions();
  if (diagnostics_.has_errors()) return;
  for (Diagnostic& finding : unused_) diagnostics_.report(std::move(finding));
}

void NameChecker::collect_names(const NameScope& scope) {
  for (const auto& file : scope.library)
    for (const ast::Item& item : file->items)
      if (const ast::Name* name = ast::defined_name(item)) library_.emplace(name->text, &item);
  std::unordered_map<std::string, const ast::Item*> imported;
  for (const ImportedName& name : scope.imports) imported.emplace(name.name, name.item);
  const ast::Item* train = nullptr;
  for (const ast::Item& item : file_.items) {
    if (const ast::Name* name = ast::defined_name(item))
      define(*name, {&item, name->span, false, false});
    if (const auto* import = item.as<ast::Import>()) {
      for (const ast::Name& name : import->names) {
        const auto found = imported.find(name.text);
        define(name, {found == imported.end() ? nullptr : found->second, name.span, true, false});
      }
    }
    if (!item.as<ast::Train>()) continue;
    if (train)
      diagnostics_.report(error("E0211", item.span, "a file has one `train` block")
                              .note("the first is here", train->span));
    train = train ? train : &item;
  }
}

void NameChecker::define(const ast::Name& name, FileName definition) {
  const auto [entry, is_new] = own_.emplace(name.text, definition);
  if (is_new) return;
  diagnostics_.report(error("E0203", name.span,
                            fmt::format("`{}` is already {}", name.text,
                                        entry->second.is_import ? "imported" : "defined"))
                          .note("first at {}", entry->second.span));
}

void NameChecker::check_item(const ast::Item& item) {
  if (const auto* constant = item.as<ast::Constant>()) check(constant->value);
  if (const auto* function = item.as<ast::Function>()) check_callable(function->callable);
  if (const auto* optimizer = item.as<ast::Optimizer>()) check_callable(optimizer->callable);
  if (const auto* model = item.as<ast::Model>()) check_callable(model->callable);
  if (const auto* train = item.as<ast::Train>()) check_train(*train);
}

void NameChecker::report_cycles() {
  for (const ast::Item& item : file_.items)
    if (!finished_.contains(&item)) find_cycles_from(&item);
}

/// Depth first over the uses; `finished_` lead to no cycle that was not reported.
void NameChecker::find_cycles_from(const ast::Item* start) {
  struct Visit {
    const ast::Item* item;
    std::vector<const ast::Item*> next;
  };
  const auto visit = [&](const ast::Item* item) {
    Visit one{item, {}};
    for (const auto& [used, span] : uses_[item]) one.next.push_back(used);
    std::ranges::sort(one.next, std::greater<>());
    return one;
  };
  std::vector<Visit> open = {visit(start)};
  while (!open.empty() && !diagnostics_.is_full()) {
    Visit& last = open.back();
    if (last.next.empty()) {
      finished_.insert(last.item);
      open.pop_back();
      continue;
    }
    const ast::Item* next = last.next.back();
    last.next.pop_back();
    const auto again = std::ranges::find(open, next, &Visit::item);
    if (again != open.end()) {
      std::vector<const ast::Item*> cycle;
      for (auto step = again; step != open.end(); ++step) cycle.push_back(step->item);
      report_cycle(cycle);
    } else if (!finished_.contains(next)) {
      open.push_back(visit(next));
    }
  }
}

void NameChecker::report_cycle(const std::vector<const ast::Item*>& cycle) {
  const auto name = [](const ast::Item* item) { return ast::defined_name(*item)->text; };
  const auto first =
      std::ranges::min_element(cycle, {}, [](const ast::Item* item) { return item->span.begin; });
  std::vector<const ast::Item*> turned(first, cycle.end());
  turned.insert(turned.end(), cycle.begin(), first);
  std::string path;
  constexpr size_t kShown = 8;
  for (size_t i = 0; i < std::min(turned.size(), kShown); ++i) path += name(turned[i]) + " -> ";
  if (turned.size() > kShown) path += "… -> ";
  Diagnostic finding = error("E0206", ast::defined_name(*turned[0])->span,
                             fmt::format("the definition of `{}` needs itself: {}{}",
                                         name(turned[0]), path, name(turned[0])));
  for (size_t i = 0; i < std::min(turned.size(), kShown); ++i) {
    const ast::Item* next = turned[(i + 1) % turned.size()];
    finding.note(fmt::format("`{}` uses `{}`", name(turned[i]), name(next)),
                 uses_[turned[i]][next]);
  }
  finding.help = "there is no recursion: repeat with `for`, or pass a function in";
  diagnostics_.report(std::move(finding));
}

void NameChecker::report_unused_definitions() {
  for (const auto& [text, name] : own_) {
    if (name.is_used) continue;
    if (name.is_import)
      unused_.push_back(
          warning("W0204", name.span, fmt::format("the import `{}` is never used", text)));
    else if (text[0] == '_')
      unused_.push_back(
          warning("W0201", name.span,
                  fmt::format("`{}` is never used, and its `_` keeps it in this file", text)));
  }
}

}  // namespace gradc
