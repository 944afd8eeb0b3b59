// The names the language has without any text: parameters, defaults and one line about each.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace gradc {

struct BuiltinParameter {
  std::string_view name;
  /// The call may leave it out.
  bool has_default = false;
  /// The default as it would be written, for messages and documentation.
  std::string_view default_text = {};
};

struct BuiltinSignature {
  std::string_view name;
  std::span<const BuiltinParameter> parameters;
  std::string_view doc;
  /// False for constants (`pi`), which cannot be called.
  bool is_function = true;
};

/// All of them, by topic.
std::span<const BuiltinSignature> builtin_signatures();
/// Null if there is none.
const BuiltinSignature* find_builtin(std::string_view name);
/// Names that only a `train` block has: data, `load`, `total_steps`, `steps_per_epoch`.
std::span<const std::string_view> train_names();
/// "reshape(x, shape)": with defaults, as documentation shows it.
std::string signature_text(const BuiltinSignature& signature);

}  // namespace gradc
