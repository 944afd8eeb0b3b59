// Parses override values by the kind of the setting they replace.
#include "tools/graph_settings.h"

#include <charconv>

#include "frontend/did_you_mean.h"

namespace gradc {
namespace {

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
  return settings;
}

}  // namespace gradc
