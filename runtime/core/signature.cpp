// Names of the kinds, in the order of their enumerators.
#include "runtime/core/signature.h"

#include <array>

namespace gradc {
namespace {

constexpr std::array<std::string_view, 8> kInputKinds = {
    "data", "parameter", "slot", "state", "step", "seed", "accumulator", "operand"};
constexpr std::array<std::string_view, 12> kOutputKinds = {
    "parameter", "slot",           "state",          "step",           "loss",     "metric",
    "output",    "accumulate_sum", "accumulate_min", "accumulate_max", "gradient", "result"};
constexpr std::array<std::string_view, 7> kGraphModes = {"init", "train",   "evaluate", "predict",
                                                         "run",  "metrics", "body"};

template <typename Kind, size_t N>
std::optional<Kind> find(const std::array<std::string_view, N>& names, std::string_view text) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Kind>(i);
  return std::nullopt;
}

}  // namespace

std::string_view name(InputKind kind) { return kInputKinds[static_cast<size_t>(kind)]; }
std::string_view name(OutputKind kind) { return kOutputKinds[static_cast<size_t>(kind)]; }
std::string_view name(GraphMode mode) { return kGraphModes[static_cast<size_t>(mode)]; }

std::string_view fault_of_path(std::string_view path) {
  constexpr size_t kMostSlotBytes = 256;  // of a slot's name behind it
  if (path == kStepName) return "is the count of updates among a model's state";
  if (path == kMetadataName) return "is what files of weights call their notes";
  if (is_slot_name(path)) return "has a colon, as slots of optimizers have";
  if (path.size() > kMostNameBytes - kMostSlotBytes) return "is too long a path";
  return {};
}

std::optional<InputKind> parse_input_kind(std::string_view text) {
  return find<InputKind>(kInputKinds, text);
}
std::optional<OutputKind> parse_output_kind(std::string_view text) {
  return find<OutputKind>(kOutputKinds, text);
}
std::optional<GraphMode> parse_graph_mode(std::string_view text) {
  return find<GraphMode>(kGraphModes, text);
}

std::optional<InputKind> updated_input_kind(OutputKind kind) {
  switch (kind) {
    case OutputKind::Parameter:
      return InputKind::Parameter;
    case OutputKind::Slot:
      return InputKind::Slot;
    case OutputKind::State:
      return InputKind::State;
    case OutputKind::Step:
      return InputKind::Step;
    case OutputKind::Loss:
    case OutputKind::Metric:
    case OutputKind::Output:
    case OutputKind::AccumulateSum:
    case OutputKind::AccumulateMin:
    case OutputKind::AccumulateMax:
    case OutputKind::Gradient:
    case OutputKind::Result:
      break;
  }
  return std::nullopt;
}

}  // namespace gradc
