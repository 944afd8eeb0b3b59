// summary: the layer table.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/commands/run_commands.h"

namespace gradc {
namespace {

/// 407050 as "407,050".
std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto place = static_cast<int64_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<size_t>(place), ",");
  return digits;
}

struct Totals {
  int64_t parameters = 0, trainable = 0, states = 0, multiply_adds = 0;
};

Totals totals(const std::vector<LayerRow>& rows) {
  Totals sum;
  for (const LayerRow& row : rows) {
    sum.parameters += row.parameters;
    sum.trainable += row.trainable;
    sum.states += row.states;
    sum.multiply_adds += row.multiply_adds;
  }
  return sum;
}

std::string layer_title(const LayerRow& row) {
  if (row.path.empty()) return "(the model itself)";
  const std::string uses = row.applications > 1 ? fmt::format(", {} uses", row.applications) : "";
  return fmt::format("{} ({}{})", row.path, row.layer, uses);
}

/// A graph file knows types only.
const std::string& output_text(const LayerRow& row) {
  return row.shape.empty() ? row.output : row.shape;
}

void print_table(const std::string& name, const std::vector<LayerRow>& rows, int64_t batch) {
  size_t title_width = 12, output_width = 12;
  for (const LayerRow& row : rows) {
    title_width = std::max(title_width, layer_title(row).size());
    output_width = std::max(output_width, output_text(row).size());
  }
  const std::string rule(title_width + output_width + 38, '_');
  const std::string double_rule(rule.size(), '=');
  fmt::print("Model: {}\n{}\n", name, rule);
  fmt::print("{:{}}  {:{}}  {:>12}  {:>18}\n{}\n", "Layer (type)", title_width, "Output Shape",
             output_width, "Param #", "FLOPs per sample", double_rule);
  for (const LayerRow& row : rows)
    fmt::print("{:{}}  {:{}}  {:>12}  {:>18}\n", layer_title(row), title_width, output_text(row),
               output_width, grouped(row.parameters + row.states),
               grouped(2 * row.multiply_adds / batch));
  const Totals sum = totals(rows);
  fmt::print("{}\nTotal params: {}\nTrainable params: {}\nNon-trainable params: {}\n", double_rule,
             grouped(sum.parameters + sum.states), grouped(sum.trainable),
             grouped(sum.parameters - sum.trainable + sum.states));
  fmt::print("FLOPs per sample, forward: {}\n{}\n", grouped(2 * sum.multiply_adds / batch), rule);
}

void print_json(const std::string& name, const std::vector<LayerRow>& rows, int64_t batch) {
  for (const LayerRow& row : rows)
    fmt::print("{}\n", nlohmann::ordered_json{{"layer", row.path},
                                              {"type", row.layer},
                                              {"output", row.output},
                                              {"shape", row.shape},
                                              {"parameters", row.parameters},
                                              {"trainable", row.trainable},
                                              {"states", row.states},
                                              {"flops_per_row", 2 * row.multiply_adds / batch},
                                              {"applications", row.applications}}
                           .dump());
  const Totals sum = totals(rows);
  fmt::print("{}\n", nlohmann::ordered_json{{"event", "end"},
                                            {"model", name},
                                            {"parameters", sum.parameters},
                                            {"trainable", sum.trainable},
                                            {"states", sum.states},
                                            {"flops_per_row", 2 * sum.multiply_adds / batch}}
                         .dump());
}

ExitCode summary(ModelOpener& opener) {
  const std::unique_ptr<RunnableModel> model = opener.open();
  const int64_t batch = model->settings().integer("batch");
  if (!opener.options().data.empty()) model->description();
  std::vector<LayerRow> rows = model->summary_rows();
  std::erase_if(rows, [](const LayerRow& row) {
    return row.path.empty() && row.parameters + row.states + row.multiply_adds == 0;
  });
  (opener.options().json ? print_json : print_table)(model->name(), rows, batch);
  return ExitCode::Done;
}

}  // namespace

Action configure_summary(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  opener->add_flags(flags, false);
  return [opener] { return summary(*opener); };
}

}  // namespace gradc
