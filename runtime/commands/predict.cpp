// predict: the model's outputs, one row after the other, or the text it writes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "runtime/commands/generate.h"
#include "runtime/commands/interrupt.h"
#include "runtime/commands/json_values.h"
#include "runtime/commands/run_commands.h"
#include "runtime/commands/start_session.h"
#include "runtime/data/batches.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

struct PredictOptions {
  std::shared_ptr<ModelOpener> opener;
  std::string weights;
  int64_t count = 10;
  std::string rows;
  int64_t top = 3;
  GenerateOptions generate;
};

/// "0.0000 0.9999", or "[0.1 0.2] [0.3 0.4]" for rows of a higher rank.
std::string as_text(const nlohmann::ordered_json& value) {
  if (!value.is_array())
    return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
  std::string text;
  for (const auto& element : value) text += (text.empty() ? "" : " ") + as_text(element);
  return "[" + text + "]";
}

/// The elements of a row that are probabilities of classes: two or more, none below 0, their sum
/// is 1. Empty where they are something else.
std::vector<double> probabilities(const Tensor& output, int64_t row) {
  if (!is_float(output.dtype()) || output.shape().rank() != 2 || output.shape()[1] < 2) return {};
  std::vector<double> values;
  for (int64_t i = 0; i < output.shape()[1]; ++i)
    values.push_back(output.at(row * output.shape()[1] + i));
  const bool is_any_negative =
      std::any_of(values.begin(), values.end(), [](double value) { return !(value >= 0); });
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  constexpr double kTolerance = 1e-3;
  return is_any_negative || std::abs(sum - 1) > kTolerance ? std::vector<double>() : values;
}

class RowPrinter {
 public:
  RowPrinter(const PredictOptions& options, const Dataset& data) : options_(options), data_(data) {}

  /// Row `row` of the outputs, which is row `number` of the data.
  void print(const Program& program, std::span<const Tensor> outputs, int64_t row,
             int64_t number) const {
    nlohmann::ordered_json line = {{std::string(kRowField), number}};
    std::string text = fmt::format("row {}:", number);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (program.outputs[i].kind != OutputKind::Output) continue;
      const std::string& name = program.outputs[i].name;
      line[name] = row_as_json(outputs[i], row);
      const std::vector<double> shares = probabilities(outputs[i], row);
      const bool is_ranked = !shares.empty() && options_.top > 0;
      text += fmt::format(" {} = {}", name, is_ranked ? ranked(shares) : as_text(line[name]));
    }
    if (options_.opener->options().json)
      print_line(line);
    else
      fmt::print("{}\n", text);
  }

 private:
  /// "7 (0.9991), 2 (0.0005), 3 (0.0002)"
  std::string ranked(const std::vector<double>& shares) const {
    std::vector<size_t> order(shares.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return shares[a] > shares[b]; });
    order.resize(std::min(order.size(), static_cast<size_t>(options_.top)));
    std::string text;
    for (const size_t place : order)
      text += fmt::format("{}{} ({:.4f})", text.empty() ? "" : ", ",
                          class_name(place, shares.size()), shares[place]);
    return text;
  }

  /// The name of a class where one field has as many categories as there are classes.
  std::string class_name(size_t place, size_t classes) const {
    for (const Field& field : data_.fields)
      if (field.categories.size() == classes) return field.category(static_cast<int64_t>(place));
    return std::to_string(place);
  }

  const PredictOptions& options_;
  const Dataset& data_;
};

/// The numbers of --rows, "3,10-12", each below `rows`; without it the first --count.
std::vector<int64_t> chosen_rows(const PredictOptions& options, int64_t rows) {
  std::vector<int64_t> chosen;
  if (options.rows.empty()) {
    chosen.resize(static_cast<size_t>(options.count == 0 ? rows : std::min(options.count, rows)));
    std::iota(chosen.begin(), chosen.end(), int64_t{0});
    return chosen;
  }
  const char* at = options.rows.data();
  const char* const end = at + options.rows.size();
  const auto number = [&] {
    int64_t value = -1;
    const auto [after, fault] = std::from_chars(at, end, value);
    if (fault != std::errc() || value < 0)
      throw Error(
          ExitCode::Usage, "",
          fmt::format("--rows wants numbers and ranges, as in 3,10-12; got `{}`", options.rows));
    if (value >= rows)
      throw Error(
          ExitCode::Usage, "",
          fmt::format("--rows {}: the data has {} rows, counted from 0", options.rows, rows));
    at = after;
    return value;
  };
  while (true) {
    const int64_t first = number();
    int64_t last = first;
    if (at != end && *at == '-') {
      ++at;
      last = number();
      if (last < first)
        throw Error(ExitCode::Usage, "",
                    fmt::format("--rows {}: {} comes before {}", options.rows, last, first));
    }
    for (int64_t row = first; row <= last; ++row) chosen.push_back(row);
    if (at == end) return chosen;
    if (*at == ',')
      ++at;
    else
      number();  // throws: no number begins here
  }
}

/// Outputs of some rows of a batch.
struct PredictedRows {
  const Program* program;
  int64_t first, count;
  std::vector<Tensor> outputs;
};

std::vector<PredictedRows> predict_batch(Session& session, const Dataset& data,
                                         const Batch& batch) {
  std::vector<Field> fields;
  for (size_t i = 0; i < batch.values.size(); ++i)
    fields.push_back({data.fields[i].name, batch.values[i]});
  std::vector<PredictedRows> predicted;
  session.execute_parts(
      GraphMode::Predict, fields, batch.rows,
      [&](const Program& program, std::span<const Tensor> outputs, int64_t first, int64_t count) {
        PredictedRows rows{&program, first, count, {}};
        for (const Tensor& output : outputs) rows.outputs.push_back(output.clone());
        predicted.push_back(std::move(rows));
      });
  return predicted;
}

void predict_rows(const PredictOptions& options, RunnableModel& model, Session& session,
                  const std::atomic<bool>& stop) {
  const Dataset& data = model.test_data();
  const int64_t size = train_settings(model.settings()).eval_batch;
  const Batches batches(data, {.size = size, .shuffle = false});
  const RowPrinter printer(options, data);
  int64_t loaded = -1;
  std::vector<PredictedRows> predicted;
  for (const int64_t row : chosen_rows(options, data.rows())) {
    if (stop) return;
    if (row / size != loaded) {
      loaded = row / size;
      predicted = predict_batch(session, data, batches.read(loaded));
    }
    const int64_t place = row % size;
    const auto part = std::find_if(predicted.begin(), predicted.end(), [&](const auto& rows) {
      return place < rows.first + rows.count;
    });
    printer.print(*part->program, part->outputs, place - part->first, row);
  }
}

void write_text(const PredictOptions& options, Session& session, const std::atomic<bool>& stop) {
  std::string text;
  if (!options.opener->options().json) fmt::print("{}", options.generate.prompt);
  generate(session, options.generate, stop, [&](char byte) {
    text += byte;
    if (options.opener->options().json) return;
    if (std::fputc(byte, stdout) == EOF || std::fflush(stdout) != 0)
      throw Error(ExitCode::InputOutput, "", "cannot write to stdout");
  });
  if (options.opener->options().json) {
    print_line({{"prompt", options.generate.prompt}, {"text", text}});
  } else if (!text.ends_with('\n')) {
    fmt::print("\n");
  }
}

ExitCode run_predict(const PredictOptions& options) {
  set_threads(options.opener->options().threads);
  const std::atomic<bool>& stop = stop_on_signal();
  const std::unique_ptr<RunnableModel> model = options.opener->open();
  const bool writes_text = options.generate.count > 0;
  // The data binds the model's free dimensions; its rows are not needed to write text.
  if (writes_text)
    model->description();
  else
    model->prefetch_data();
  Session session(*model, train_settings(model->settings()).seed);
  start_session(session, *model, options.weights);
  if (writes_text)
    write_text(options, session, stop);
  else
    predict_rows(options, *model, session, stop);
  return stop ? interrupted_exit_code() : ExitCode::Done;
}

}  // namespace

Action configure_predict(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  auto options = std::make_shared<PredictOptions>();
  options->opener = std::move(opener);
  options->opener->add_flags(flags, true);
  flags.add("--weights", &options->weights, "Trained weights; without: fresh values").as_path();
  const Flag count =
      flags.add("--count,--first", &options->count, "Print the first rows; 0 means all")
          .in_range(0, int64_t{1} << 40);
  flags.add("--rows", &options->rows, "Rows to print, as in 3,10-12").excludes(count);
  flags.add("--top", &options->top, "Likeliest classes to print of probabilities; 0: the numbers")
      .in_range(0, int64_t{1} << 30);
  const Flag generated =
      flags.add("--generate", &options->generate.count, "Write so many bytes of text instead")
          .in_range(1, int64_t{1} << 40);
  flags
      .add("--temperature", &options->generate.temperature,
           "Below 1: likelier bytes; 0: the likeliest")
      .in_real_range(0.0, 1e6)
      .needs(generated);
  flags.add("--prompt", &options->generate.prompt, "The text that is continued").needs(generated);
  return [options] { return run_predict(*options); };
}

}  // namespace gradc
