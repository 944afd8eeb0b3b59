// Checks on reading: what a name stands for at its place; binding names; names never used.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/name_checker.h"
#include "runtime/core/did_you_mean.h"
#include "runtime/core/dtype.h"

namespace gradc {
namespace {

bool is_declared(LocalKind kind) {
  return kind == LocalKind::Param || kind == LocalKind::State || kind == LocalKind::Slot;
}

bool is_bound(LocalKind kind) {
  return kind == LocalKind::Binding || kind == LocalKind::Var || kind == LocalKind::Shared ||
         kind == LocalKind::Collect;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Resolution NameChecker::resolve(const std::string& text, Span span) {
  if (Local* local = locals_.find(text)) {
    local->is_used = true;
    return {.kind = Resolution::Kind::Local, .local = local};
  }
  return resolve_outside(text, span);
}

Resolution NameChecker::resolve_outside(const std::string& text, Span span) {
  using Kind = Resolution::Kind;
  if (const auto own = own_.find(text); own != own_.end()) {
    own->second.is_used = true;
    const ast::Item* item = own->second.item;
    if (item && !own->second.is_import) uses_[item_].emplace(item, span);
    return {.kind = item ? Kind::Item : Kind::Opaque, .item = item};
  }
  if (file_.unread_words.contains(text)) return {.kind = Kind::Opaque};
  if (const auto found = library_.find(text); found != library_.end())
    return {.kind = Kind::Item, .item = found->second};
  if (const BuiltinSignature* builtin = find_builtin(text))
    return {.kind = Kind::Builtin, .builtin = builtin};
  const bool is_train_name = std::ranges::find(train_names(), text) != train_names().end();
  if (parse_dtype(text) || (is_in_train_ && is_train_name)) return {.kind = Kind::Opaque};
  return {};
}

void NameChecker::report_unknown(const std::string& text, Span span, bool is_behind_slashes) {
  if (text == "_") {
    diagnostics_.report(
        error("E0201", span, "`_` throws a value away and cannot be read").with_help("name it"));
    return;
  }
  if (!unknown_.insert(text).second) return;
  diagnostics_.report(error("E0201", span, fmt::format("unknown name `{}`", text))
                          .with_help(help_for_unknown(text, span, is_behind_slashes)));
}

std::string NameChecker::help_for_unknown(const std::string& text, Span span,
                                          bool is_behind_slashes) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kWords = {{
      {"True", "write `true`"},
      {"False", "write `false`"},
      {"None", "write `none`"},
      {"lambda", "a function is written: fn(x) => x + 1"},
      {"null", "write `none`"},
      {"self", "parameters are read by their names alone"},
  }};
  for (const auto& [word, help] : kWords)
    if (text == word) return std::string(help);
  if (is_behind_slashes) return "`//` is floor division; comments start with `#`";
  const auto bound = names_of_item().bound.find(text);
  if (bound != names_of_item().bound.end()) {
    const Span& where = bound->second;
    if (where.begin > span.begin)
      return fmt::format("it is bound only at {}: move that line up", where.place());
    return fmt::format("the one bound at {} ends with its block: bind `var {}` before the block",
                       where.place(), text);
  }
  if (text == "loss") return "bind it first: loss = …";
  const auto guess = did_you_mean(text, visible_names());
  if (!guess) return {};
  const bool is_case = lower(*guess) == lower(text) &&
                       (library_.contains(*guess) || find_builtin(*guess) != nullptr);
  return fmt::format("did you mean `{}`?{}", *guess,
                     is_case ? " library names are lower case" : "");
}

/// Sorted, so that of equally near ones the same is proposed each time.
std::vector<std::string> NameChecker::visible_names() const {
  std::vector<std::string> all = locals_.names();
  for (const auto& [name, definition] : own_) all.push_back(name);
  for (const auto& [name, item] : library_)
    if (name[0] != '_') all.push_back(name);
  for (const BuiltinSignature& builtin : builtin_signatures()) all.emplace_back(builtin.name);
  if (is_in_train_) all.insert(all.end(), train_names().begin(), train_names().end());
  std::ranges::sort(all);
  return all;
}

const ItemNames& NameChecker::names_of_item() {
  if (!item_names_) item_names_ = item_names(*item_);
  return *item_names_;
}

void NameChecker::bind(const ast::Name& name, LocalKind kind, bool is_layer) {
  if (name.is_discard()) return;
  if (const Local* other = locals_.find(name.text)) {
    std::string help = "use another name";
    if (kind == LocalKind::Binding && is_updatable(other->kind))
      help = fmt::format("`{} := {}`", name.text, rest_of_statement(name.span));
    else if (kind == LocalKind::Binding && other->kind == LocalKind::Binding)
      help = fmt::format("use a new name, or declare `var {} = …` and write `{} := {}`", name.text,
                         name.text, rest_of_statement(name.span));
    diagnostics_.report(
        error("E0203", name.span,
              fmt::format("`{}` is already bound ({})", name.text,
                          other->span.is_somewhere() ? other->span.place() : "by the language"))
            .with_help(std::move(help)));
    return;
  }
  bind_hiding(name, kind, is_layer);
}

/// "dense(x, 64)" of the statement "x = dense(x, 64)" whose name is at `name`.
std::string NameChecker::rest_of_statement(Span name) const {
  const std::string_view text = file_.source->text();
  const size_t assign = text.find('=', name.end);
  if (assign == std::string_view::npos) return "…";
  const size_t start = text.find_first_not_of(" \t", assign + 1);
  const size_t end = std::min(text.find_first_of(";\r\n#", assign), text.size());
  constexpr size_t kLongest = 60;
  if (start >= end || end - start > kLongest) return "…";
  std::string rest(text.substr(start, end - start));
  rest.erase(rest.find_last_not_of(' ') + 1);
  return rest;
}

void NameChecker::bind_hiding(const ast::Name& name, LocalKind kind, bool is_layer) {
  if (name.is_discard()) return;
  Local local{.name = name.text, .span = name.span, .kind = kind, .is_layer = is_layer};
  local.callable_depth = static_cast<int>(contexts_.size());
  local.scan_depth = contexts_.empty() ? 0 : contexts_.back().scan_depth;
  locals_.add(std::move(local));
}

void NameChecker::close_scope() {
  const std::vector<Local> closed = locals_.close();
  const bool reads_parameters = std::ranges::any_of(closed, [](const Local& local) {
    return local.kind == LocalKind::Parameter && local.is_used;
  });
  // A function that reads none of its parameters is made to be passed where they are given.
  const bool is_constant =
      !contexts_.empty() && contexts_.back().kind == ast::CallableKind::Fn && !reads_parameters;
  for (const Local& local : closed)
    if (local.kind != LocalKind::Parameter || !is_constant) report_unused(local);
}

void NameChecker::report_unused(const Local& local) {
  if (local.is_used || local.name[0] == '_') return;
  if (local.kind == LocalKind::Parameter) {
    if (contexts_.back().is_lambda) return;
    unused_.push_back(
        warning("W0202", local.span, fmt::format("parameter `{}` is never used", local.name)));
  } else if (is_declared(local.kind)) {
    unused_.push_back(
        warning("W0203", local.span, fmt::format("`{}` is declared and never read", local.name)));
  } else if (is_bound(local.kind)) {
    unused_.push_back(
        warning("W0201", local.span, fmt::format("`{}` is bound and never used", local.name))
            .with_help(fmt::format("leave it out, or call it `_{}`", local.name)));
  }
}

}  // namespace gradc
