// Lists the differences between a model's state and a file's tensors.
#include "runtime/check_state.h"

#include <algorithm>
#include <unordered_map>

#include "runtime/core/did_you_mean.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr size_t kMostLines = 20;
constexpr size_t kMostCandidates = 2000;

/// ", nearest: `x`" for the most similar name, if it is similar at all.
std::string nearest_note(std::string_view name, const std::vector<std::string_view>& candidates) {
  constexpr size_t kLongestName = 120;
  std::string_view best;
  int best_distance = edit_distance(name, "") / 2 + 1;
  for (std::string_view candidate :
       std::span(candidates).first(std::min(candidates.size(), kMostCandidates))) {
    if (candidate.size() > kLongestName || name.size() > kLongestName) continue;
    const int distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : fmt::format("; the file has `{}`", printable(best));
}

/// A headline and at most kMostLines lines under it.
class Section {
 public:
  explicit Section(std::string headline) : headline_(std::move(headline)) {}

  bool is_full() const { return count_ >= kMostLines; }
  void add(const std::string& line) {
    if (!is_full()) lines_ += "\n    " + line;
    ++count_;
  }
  std::string text() const {
    if (count_ == 0) return {};
    const std::string rest =
        count_ > kMostLines ? fmt::format("\n    and {} more", count_ - kMostLines) : "";
    return fmt::format("\n  {}:{}{}", headline_, lines_, rest);
  }

 private:
  std::string headline_;
  std::string lines_;
  size_t count_ = 0;
};

}  // namespace

void check_state(std::span<const StateSpec> specs, const NamedTensors& content,
                 const std::string& path) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const NamedTensor& tensor : content.tensors) given.emplace(tensor.name, &tensor.value);
  std::unordered_map<std::string_view, const Type*> needed;
  for (const StateSpec& spec : specs) needed.emplace(spec.name, &spec.type);

  Section surplus("the model has no");
  std::vector<std::string_view> unused;
  for (const NamedTensor& tensor : content.tensors) {
    if (needed.contains(tensor.name)) continue;
    unused.push_back(tensor.name);
    surplus.add(fmt::format("{} {}", printable(tensor.name), to_string(tensor.value.type())));
  }
  Section missing("the file has no");
  Section different("of another type");
  for (const StateSpec& spec : specs) {
    const auto found = given.find(spec.name);
    if (found == given.end()) {
      const std::string note = missing.is_full() ? "" : nearest_note(spec.name, unused);
      missing.add(fmt::format("{} {}{}", spec.name, to_string(spec.type), note));
    } else if (found->second->type() != spec.type) {
      different.add(fmt::format("{}: the model has {}, the file {}", spec.name,
                                to_string(spec.type), to_string(found->second->type())));
    }
  }
  const std::string differences = missing.text() + different.text() + surplus.text();
  if (!differences.empty())
    throw Error(ExitCode::ModelOrData, "E0920",
                fmt::format("the tensors of `{}` do not fit the model{}", path, differences));
}

}  // namespace gradc
