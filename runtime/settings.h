// The evaluated train block: what a run needs to know beside programs and data.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/train.h"

namespace gradc {

using SettingValue = std::variant<bool, int64_t, std::string>;

/// Named values in the order in which they were set. A model compiled from text or from a dumped
/// graph has all that check_settings() asks for.
class Settings {
 public:
  using Entries = std::vector<std::pair<std::string, SettingValue>>;

  /// Replaces the value of `name` or appends it.
  void set(std::string name, SettingValue value);
  void erase(std::string_view name);
  /// nullptr where there is none of that name.
  const SettingValue* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// The value of `name`, which must exist and be of that kind (CHECK).
  const std::string& text(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;

  const Entries& entries() const { return entries_; }

 private:
  Entries entries_;
};

/// Throws Error (`exit_code`, E0111) for a setting that is missing, unknown, of another kind or out
/// of range.
void check_settings(const Settings& settings, ExitCode exit_code);

/// `settings` with each KEY=VALUE applied, where no expressions can be evaluated any more: a value
/// is a number, true, false or a string of the kind the setting has. `epochs` replaces `steps` and
/// the other way round. `compiled` ("a dumped graph", "this program") names in messages what holds
/// the settings. Throws Error (Usage) for an unknown key or another kind.
Settings override_settings(Settings settings,
                           const std::vector<std::pair<std::string, std::string>>& overrides,
                           std::string_view compiled);

/// What the training loop reads of them.
TrainSettings train_settings(const Settings& settings);
/// False where there is no optimizer, so no training step.
bool has_optimizer(const Settings& settings);

}  // namespace gradc
