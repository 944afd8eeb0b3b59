// gradc predict: the model's outputs, one row after the other.
#include <fmt/format.h>

#include "runtime/data/batches.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/json_values.h"
#include "tools/start_session.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct PredictOptions {
  ModelOptions model;
  std::string weights;
  int64_t count = 10;
};

/// "0.0000 0.9999", or "[0.1 0.2] [0.3 0.4]" for rows of a higher rank.
std::string as_text(const nlohmann::ordered_json& value) {
  if (!value.is_array())
    return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
  std::string text;
  for (const auto& element : value) text += (text.empty() ? "" : " ") + as_text(element);
  return "[" + text + "]";
}

void print_rows(const PredictOptions& options, const Program& program,
                std::span<const Tensor> outputs, int64_t first, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    nlohmann::ordered_json line = {{"row", first + row}};
    for (size_t i = 0; i < outputs.size(); ++i)
      if (program.outputs[i].kind == OutputKind::Output)
        line[program.outputs[i].name] = row_as_json(outputs[i], row);
    if (options.model.json) {
      print_line(line);
      continue;
    }
    std::string text = fmt::format("row {}:", first + row);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const ProgramOutput& output = program.outputs[i];
      if (output.kind == OutputKind::Output)
        text += fmt::format(" {} = {}", output.name, as_text(line[output.name]));
    }
    fmt::print("{}\n", text);
  }
}

ExitCode run_predict(const PredictOptions& options) {
  set_threads(options.model.threads);
  const std::atomic<bool>& stop = stop_on_signal();
  Workspace workspace(options.model);
  const TrainSettings settings = workspace.train_settings();
  workspace.prefetch_data();
  Session session(workspace, settings.seed);
  start_session(session, workspace, options.weights);
  const Dataset& data = workspace.test_data();
  const Batches batches(data, {.size = settings.eval_batch, .shuffle = false});
  int64_t left = options.count == 0 ? data.rows() : std::min(options.count, data.rows());
  for (int64_t index = 0; index < batches.count() && left > 0 && !stop; ++index) {
    const Batch batch = batches.read(index);
    std::vector<Field> fields;
    for (size_t i = 0; i < batch.values.size(); ++i)
      fields.push_back({data.fields[i].name, batch.values[i]});
    const std::span<const Tensor> outputs = session.execute(GraphMode::Predict, fields, batch.rows);
    const Program& program = session.program(GraphMode::Predict, batch.rows);
    const int64_t rows = std::min(left, batch.rows);
    print_rows(options, program, outputs, index * settings.eval_batch, rows);
    left -= rows;
  }
  return stop ? interrupted_exit_code() : ExitCode::Done;
}

}  // namespace

Action configure_predict(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  add_model_flags(app, options->model);
  add_data_flags(app, options->model);
  add_execution_flags(app, options->model);
  app.add_option("--weights", options->weights, "Trained weights; without: fresh values");
  app.add_option("--count", options->count, "Rows to print; 0 means all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  return [options] { return run_predict(*options); };
}

}  // namespace gradc
