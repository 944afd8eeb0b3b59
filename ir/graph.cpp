// Names of the graph's enumerations, and user counts.
#include "ir/graph.h"

#include <array>

namespace gradc {
namespace {

constexpr std::array<std::string_view, 8> kInputNames = {
    "data", "parameter", "slot", "state", "step", "seed", "accumulator", "operand"};
constexpr std::array<std::string_view, 12> kOutputNames = {
    "parameter", "slot",           "state",          "step",           "loss",     "metric",
    "output",    "accumulate_sum", "accumulate_min", "accumulate_max", "gradient", "result"};
constexpr std::array<std::string_view, 7> kModeNames = {"init", "train",   "evaluate", "predict",
                                                        "run",  "metrics", "body"};

template <typename Enum, size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view name(InputKind kind) { return kInputNames.at(static_cast<size_t>(kind)); }
std::string_view name(OutputKind kind) { return kOutputNames.at(static_cast<size_t>(kind)); }
std::string_view name(GraphMode mode) { return kModeNames.at(static_cast<size_t>(mode)); }

std::optional<InputKind> parse_input_kind(std::string_view text) {
  return find_name<InputKind>(kInputNames, text);
}
std::optional<OutputKind> parse_output_kind(std::string_view text) {
  return find_name<OutputKind>(kOutputNames, text);
}
std::optional<GraphMode> parse_graph_mode(std::string_view text) {
  return find_name<GraphMode>(kModeNames, text);
}

std::vector<int32_t> count_users(const Graph& graph) {
  std::vector<int32_t> users(graph.value_count(), 0);
  for (const Node& node : graph.nodes())
    for (ValueId operand : node.operands) ++users[index(operand)];
  for (const Output& output : graph.outputs()) ++users[index(output.value)];
  return users;
}

}  // namespace gradc
