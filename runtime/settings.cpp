// The rules of each setting, and override values by the kind of the setting they replace.
#include "runtime/settings.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "runtime/core/did_you_mean.h"

namespace gradc {
namespace {

/// In the order of SettingValue's alternatives.
enum class SettingKind : uint8_t { Flag, Integer, Text };
SettingKind kind_of(const SettingValue& value) { return static_cast<SettingKind>(value.index()); }

/// A whole number has a least value.
struct SettingRule {
  std::string_view name;
  SettingKind kind;
  int64_t least = 0;
  bool is_required = true;
};

constexpr SettingRule kRules[] = {
    {"data", SettingKind::Text},
    {"test", SettingKind::Text},
    {"batch", SettingKind::Integer, 1},
    {"eval_batch", SettingKind::Integer, 1},
    {"epochs", SettingKind::Integer, 0, false},
    {"steps", SettingKind::Integer, 0, false},
    {"shuffle", SettingKind::Flag},
    {"last_batch", SettingKind::Text},
    {"seed", SettingKind::Integer},
    {"optimizer", SettingKind::Text},
    {"start", SettingKind::Text, 0, false},
    {"start_only", SettingKind::Text, 0, false},
};

std::string_view describe(SettingKind kind) {
  if (kind == SettingKind::Integer) return "a whole number";
  return kind == SettingKind::Flag ? "true or false" : "a string";
}

/// Empty where the value is right.
std::string fault_of(const SettingRule& rule, const SettingValue* value) {
  if (value == nullptr) return rule.is_required ? "is missing" : "";
  if (kind_of(*value) != rule.kind) return fmt::format("must be {}", describe(rule.kind));
  if (rule.kind == SettingKind::Integer && std::get<int64_t>(*value) < rule.least)
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

SettingValue parse_as(SettingKind kind, const std::string& key, const std::string& text) {
  switch (kind) {
    case SettingKind::Flag:
      if (text != "true" && text != "false") wrong_value(key, text, "true or false");
      return text == "true";
    case SettingKind::Integer: {
      int64_t number = 0;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (fault != std::errc() || end != text.data() + text.size() || number < 0)
        wrong_value(key, text, "a whole number");
      return number;
    }
    case SettingKind::Text:
      break;
  }
  return text.size() >= 2 && text.front() == '"' && text.back() == '"'
             ? text.substr(1, text.size() - 2)
             : text;
}

template <typename T>
const T& typed(const Settings& settings, std::string_view name) {
  const SettingValue* value = settings.find(name);
  CHECK(value != nullptr && std::holds_alternative<T>(*value), "no such setting: {}", name);
  return std::get<T>(*value);
}

}  // namespace

void Settings::set(std::string name, SettingValue value) {
  for (auto& [key, old] : entries_)
    if (key == name) {
      old = std::move(value);
      return;
    }
  entries_.emplace_back(std::move(name), std::move(value));
}

void Settings::erase(std::string_view name) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == name; });
}

const SettingValue* Settings::find(std::string_view name) const {
  for (const auto& [key, value] : entries_)
    if (key == name) return &value;
  return nullptr;
}

const std::string& Settings::text(std::string_view name) const {
  return typed<std::string>(*this, name);
}
int64_t Settings::integer(std::string_view name) const { return typed<int64_t>(*this, name); }
bool Settings::flag(std::string_view name) const { return typed<bool>(*this, name); }

void check_settings(const Settings& settings, ExitCode exit_code) {
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

Settings override_settings(Settings settings,
                           const std::vector<std::pair<std::string, std::string>>& overrides,
                           std::string_view compiled) {
  for (const auto& [key, text] : overrides) {
    if (key == "epochs" || key == "steps") {
      settings.erase("epochs");
      settings.erase("steps");
      settings.set(key, parse_as(SettingKind::Integer, key, text));
      continue;
    }
    if (key == "optimizer")
      throw Error(ExitCode::Usage, "",
                  fmt::format("--set optimizer: the optimizer is part of {} and cannot be changed",
                              compiled));
    const SettingValue* old = settings.find(key);
    if (old == nullptr) {
      std::vector<std::string> names;
      for (const auto& [name, value] : settings.entries()) names.push_back(name);
      const auto nearest = did_you_mean(key, names);
      throw Error(ExitCode::Usage, "",
                  fmt::format("{} has no setting `{}`{}", compiled, key,
                              nearest ? fmt::format("; did you mean `{}`?", *nearest) : ""));
    }
    settings.set(key, parse_as(kind_of(*old), key, text));
  }
  check_settings(settings, ExitCode::Usage);
  return settings;
}

TrainSettings train_settings(const Settings& settings) {
  TrainSettings train;
  train.batch = settings.integer("batch");
  train.eval_batch = settings.integer("eval_batch");
  train.epochs = settings.has("epochs") ? settings.integer("epochs") : 0;
  if (settings.has("steps")) train.steps = settings.integer("steps");
  train.shuffle = settings.flag("shuffle");
  train.drop_last = settings.text("last_batch") == "drop";
  train.seed = static_cast<uint64_t>(settings.integer("seed"));
  return train;
}

bool has_optimizer(const Settings& settings) { return settings.text("optimizer") != "none"; }

}  // namespace gradc
