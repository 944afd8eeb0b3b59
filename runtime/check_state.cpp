// Lists the differences between a model's state and a file's tensors.
#include "runtime/check_state.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr size_t kMostLines = 20;
constexpr size_t kMostCandidates = 2000;

/// Insertions, deletions and replacements that make `a` into `b`.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// ", nearest: `x`" for the most similar name, if it is similar at all.
std::string nearest_note(std::string_view name, const std::vector<std::string_view>& candidates) {
  constexpr size_t kMostNameBytes = 120;
  std::string_view best;
  size_t best_distance = name.size() / 2 + 1;
  for (std::string_view candidate :
       std::span(candidates).first(std::min(candidates.size(), kMostCandidates))) {
    if (candidate.size() > kMostNameBytes || name.size() > kMostNameBytes) continue;
    const size_t distance = edit_distance(name, candidate);
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
