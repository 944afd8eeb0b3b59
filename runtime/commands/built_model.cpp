// Settings, data and weights of a model that is compiled in.
#include "runtime/commands/built_model.h"

#include <algorithm>
#include <iterator>

#include "runtime/processor.h"

namespace gradc {
namespace {

/// The length of a run, which a schedule may have compiled in.
constexpr std::string_view kLengthSettings[] = {"epochs", "steps", "last_batch"};

/// Sizes are compiled in: the programs of the batch are there, those of another are not.
void refuse_compiled(const ModelFacts& facts, const Settings& built, const Settings& wanted) {
  for (const auto& [key, value] : wanted.entries()) {
    const bool is_length = std::find(std::begin(kLengthSettings), std::end(kLengthSettings), key) !=
                           std::end(kLengthSettings);
    const SettingValue* old = built.find(key);
    if (!facts.reads_run_length || !is_length || (old != nullptr && *old == value)) continue;
    throw Error(ExitCode::Usage, "",
                fmt::format("`{}` is compiled in, as the training step depends on the length of "
                            "the run: build the program again with another value",
                            key));
  }
}

}  // namespace

BuiltModel::BuiltModel(const gradc_model& model, const RunOptions& options)
    : programs_(model, options.is_deterministic) {
  const ModelFacts& facts = programs_.facts();
  for (const auto& [key, value] : facts.settings) settings_.set(key, value);
  const Settings built = settings_;
  settings_ = override_settings(settings_, overrides(options), "this program");
  refuse_compiled(facts, built, settings_);
  if (!options.data.empty()) replace_data(options.data);
  for (const auto& [name, value] : facts.weights) weights_.add(name, value);
}

std::string BuiltModel::target() const {
  return fmt::format("{} on {}", programs_.target(), target_description());
}

DataSource BuiltModel::source_of(const std::string& setting) {
  DataSource source = parse_data_source(setting);
  for (const auto& [name, dtype] : programs_.facts().fields_read) source.wanted[name] = dtype;
  if (fits_model(source)) source.declared = programs_.facts().declared;
  return source;
}

void BuiltModel::on_description(const DataDescription& description) {
  const ModelFacts& facts = programs_.facts();
  if (!facts.reads_run_length || description.train_rows == facts.train_rows) return;
  throw Error(ExitCode::ModelOrData, "E0928",
              fmt::format("the data has {} rows to train on; the program was built for {}, and its "
                          "training step depends on their number: build it again with --data",
                          description.train_rows, facts.train_rows));
}

}  // namespace gradc
