// Parses override values by the kind of the setting they replace.
#include "tools/graph_settings.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "frontend/did_you_mean.h"

namespace gradc {
namespace {

/// One setting of a dumped graph; a whole number has a least value.
struct SettingRule {
  std::string_view name;
  AttrKind kind;
  int64_t least = 0;
  bool is_required = true;
};
constexpr SettingRule kRules[] = {
    {"data", AttrKind::String},
    {"test", AttrKind::String},
    {"batch", AttrKind::Int, 1},
    {"eval_batch", AttrKind::Int, 1},
    {"epochs", AttrKind::Int, 0, false},
    {"steps", AttrKind::Int, 0, false},
    {"shuffle", AttrKind::Bool},
    {"last_batch", AttrKind::String},
    {"seed", AttrKind::Int},
    {"optimizer", AttrKind::String},
    {"start", AttrKind::String, 0, false},
    {"start_only", AttrKind::String, 0, false},
};

std::string_view describe(AttrKind kind) {
  if (kind == AttrKind::Int) return "a whole number";
  return kind == AttrKind::Bool ? "true or false" : "a string";
}

/// Empty where the value is right.
std::string fault_of(const SettingRule& rule, const AttrValue* value) {
  if (value == nullptr) return rule.is_required ? "is missing" : "";
  if (kind_of(*value) != rule.kind) return fmt::format("must be {}", describe(rule.kind));
  if (rule.kind == AttrKind::Int && std::get<int64_t>(*value) < rule.least)
    return fmt::format("must be at least {}", rule.least);
  if (rule.name == "last_batch" && std::get<std::string>(*value) != "keep" &&
      std::get<std::string>(*value) != "drop")
    return "must be \"keep\" or \"drop\"";
  return "";
}

[[noreturn]] void wrong_value(const std::string& key, const std::string& text,
                              std::string_view wanted) {
  throw Error(ExitCode::Usage, "", fmt::format("--set {}={}: wants {}", key, text, wanted));
}

AttrValue parse_as(AttrKind kind, const std::string& key, const std::string& text) {
  switch (kind) {
    case AttrKind::Bool:
      if (text != "true" && text != "false") wrong_value(key, text, "true or false");
      return text == "true";
    case AttrKind::Int: {
      int64_t number = 0;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (fault != std::errc() || end != text.data() + text.size() || number < 0)
        wrong_value(key, text, "a whole number");
      return number;
    }
    case AttrKind::String:
      return text.size() >= 2 && text.front() == '"' && text.back() == '"'
                 ? text.substr(1, text.size() - 2)
                 : text;
    default:
      wrong_value(key, text, "a model file: this setting is fixed in a dumped graph");
  }
}

}  // namespace

void check_settings(const Attrs& settings, ExitCode exit_code) {
  for (const SettingRule& rule : kRules)
    if (const std::string fault = fault_of(rule, settings.find(rule.name)); !fault.empty())
      throw Error(exit_code, "E0111", fmt::format("the setting `{}` {}", rule.name, fault));
  if (settings.has("epochs") == settings.has("steps"))
    throw Error(exit_code, "E0111", "the settings must have one of `epochs` and `steps`");
  for (const auto& [name, value] : settings.entries()) {
    const bool is_known = std::any_of(std::begin(kRules), std::end(kRules),
                                      [&](const SettingRule& rule) { return rule.name == name; });
    if (!is_known) throw Error(exit_code, "E0111", fmt::format("unknown setting `{}`", name));
  }
}

Attrs override_settings(Attrs settings,
                        const std::vector<std::pair<std::string, std::string>>& overrides) {
  for (const auto& [key, text] : overrides) {
    if (key == "epochs" || key == "steps") {
      Attrs kept;
      for (const auto& [name, value] : settings.entries())
        if (name != "epochs" && name != "steps") kept.set(name, value);
      kept.set(key, parse_as(AttrKind::Int, key, text));
      settings = kept;
      continue;
    }
    if (key == "optimizer")
      throw Error(ExitCode::Usage, "",
                  "--set optimizer: the optimizer is part of a dumped graph and cannot be changed");
    const AttrValue* old = settings.find(key);
    if (old == nullptr) {
      std::vector<std::string> names;
      for (const auto& [name, value] : settings.entries()) names.push_back(name);
      const auto nearest = did_you_mean(key, names);
      throw Error(ExitCode::Usage, "",
                  fmt::format("a dumped graph has no setting `{}`{}", key,
                              nearest ? fmt::format("; did you mean `{}`?", *nearest) : ""));
    }
    settings.set(key, parse_as(kind_of(*old), key, text));
  }
  check_settings(settings, ExitCode::Usage);
  return settings;
}

}  // namespace gradc
