// gradc data: what the data of a model, or data by itself, looks like.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "ir/text.h"
#include "runtime/commands/json_values.h"
#include "runtime/data/batches.h"
#include "runtime/data/load.h"
#include "runtime/png.h"
#include "tools/commands.h"
#include "tools/field_statistics.h"
#include "tools/sample_grid.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct DataOptions {
  ModelOptions model;
  std::string png;
  std::string grid = "5x5";
  std::string field;
  int64_t scale = 2;
  uint64_t seed = 0;
  int64_t row = 0;
  bool first = false;
  bool test = false;
};

bool is_model(const std::string& argument) {
  if (argument == "-" || argument.ends_with(".grad")) return true;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(argument, ignored)) return false;
  std::string start(64, '\0');
  std::ifstream file(argument, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(file.gcount()));
  return is_graph_text(start);
}

DataSplit read_data(const DataOptions& options) {
  if (is_model(options.model.model)) return Workspace(options.model).data();
  if (!options.model.sets.empty() || !options.model.data.empty())
    throw Error(ExitCode::Usage, "", "--set and --data are for the data of a model");
  return load_data(parse_data_source(options.model.model));
}

nlohmann::ordered_json as_json(const Field& field, const FieldStatistics& found) {
  nlohmann::ordered_json object;
  add_values(object, {{"least", found.least},
                      {"most", found.most},
                      {"mean", found.mean},
                      {"deviation", found.deviation}});
  if (found.distinct) object["distinct"] = *found.distinct;
  if (found.counts.empty()) return object;
  nlohmann::ordered_json counts = nlohmann::ordered_json::object();
  for (const auto& [value, count] : found.counts) counts[field.category(value)] = count;
  object["counts"] = std::move(counts);
  return object;
}

void print_json(const DataSplit& split) {
  nlohmann::ordered_json object = {{"data", split.train.name}, {"train_rows", split.train.rows()}};
  if (split.test) object["test_rows"] = split.test->rows();
  object["fields"] = nlohmann::ordered_json::array();
  for (const Field& field : split.train.fields) {
    const FieldStatistics train = statistics(field);
    nlohmann::ordered_json line = {{"name", field.name},
                                   {"dtype", name(field.row_type().dtype)},
                                   {"shape", field.row_type().shape.dims()},
                                   {"train", as_json(field, train)}};
    if (split.test) {
      const Field& test = *split.test->find(field.name);
      line["test"] = as_json(test, statistics(test));
      add_values(line["test"], {{"mean_minus_train", centred_mean(test, train.mean)}});
    }
    object["fields"].push_back(std::move(line));
  }
  print_line(object);
}

void print_part(const char* part, const Field& field, const FieldStatistics& found, double centre) {
  fmt::print(
      "  {:5} {:.6g} to {:.6g}, mean {:.6g}, deviation {:.6g}, mean after subtracting {:.6g}: "
      "{:.4g}\n",
      part, found.least, found.most, found.mean, found.deviation, centre,
      centred_mean(field, centre));
  if (!found.counts.empty()) {
    fmt::print("        {}\n", histogram(field, found.counts));
  } else if (found.distinct) {
    fmt::print("        {} different values\n", *found.distinct);
  }
}

void print_text(const DataSplit& split) {
  fmt::print("{}: {} training rows, {} test rows\n", split.train.name, split.train.rows(),
             split.test ? std::to_string(split.test->rows()) : "no");
  for (const Field& field : split.train.fields) {
    fmt::print("{}: {}\n", field.name, to_string(field.row_type()));
    const FieldStatistics train = statistics(field);
    print_part("train", field, train, train.mean);
    if (!split.test) continue;
    const Field& test = *split.test->find(field.name);
    print_part("test", test, statistics(test), train.mean);
  }
}

GridShape parse_grid(const DataOptions& options) {
  GridShape shape;
  shape.scale = options.scale;
  int used = 0;
  long long rows = 0;
  long long columns = 0;
  const bool is_read =
      std::sscanf(options.grid.c_str(), "%4lldx%4lld%n", &rows, &columns, &used) == 2;
  if (!is_read || static_cast<size_t>(used) != options.grid.size() || rows < 1 || columns < 1)
    throw Error(ExitCode::Usage, "",
                fmt::format("--grid wants ROWSxCOLUMNS, as in 5x5; got `{}`", options.grid));
  shape.rows = rows;
  shape.columns = columns;
  return shape;
}

void write_grid(const DataOptions& options, const DataSplit& split) {
  const GridShape shape = parse_grid(options);
  if (options.test && !split.test)
    throw Error(ExitCode::Usage, "", fmt::format("`{}` has no test rows", split.train.name));
  const Dataset& part = options.test ? *split.test : split.train;
  const Field& field = picture_field(part, options.field);
  if (options.row >= part.rows())
    throw Error(ExitCode::Usage, "",
                fmt::format("--row {}: there are {} rows", options.row, part.rows()));
  const bool in_order = options.first || options.row > 0;
  const Batches order(part, {.size = 1, .shuffle = !in_order, .seed = options.seed});
  std::vector<int64_t> rows;
  for (int64_t i = options.row; i < part.rows() && i < options.row + shape.rows * shape.columns;
       ++i)
    rows.push_back(order.row_at(i));
  write_png(options.png, sample_grid(field, rows, shape));
}

ExitCode run_data(const DataOptions& options) {
  const DataSplit split = read_data(options);
  if (options.model.json)
    print_json(split);
  else
    print_text(split);
  if (!options.png.empty()) write_grid(options, split);
  return ExitCode::Done;
}

}  // namespace

Action configure_data(Flags& flags) {
  auto options = std::make_shared<DataOptions>();
  add_model_flags(flags, options->model);
  flags.find("model").describe("Model, built-in data, a file or folder of data, or FORMAT(…)");
  flags.add("--data", &options->model.data, "Replaces the data of the model");
  const Flag png = flags.add("--png", &options->png, "Write a grid of pictures to this file");
  flags.add("--grid", &options->grid, "ROWSxCOLUMNS of the grid, 5x5 without").needs(png);
  flags.add("--field", &options->field, "The field of pictures; without: the first one").needs(png);
  flags.add("--scale", &options->scale, "Side of a pixel in the grid, 2 without")
      .in_range(1, 64)
      .needs(png);
  flags.add("--seed", &options->seed, "Which rows are drawn").needs(png);
  flags.add("--first", &options->first, "The first rows, not drawn ones").needs(png);
  flags.add("--row", &options->row, "Begin with this row; the others follow in order")
      .in_range(0, int64_t{1} << 40)
      .needs(png);
  flags.add("--test", &options->test, "Rows of the test data").needs(png);
  return [options] { return run_data(*options); };
}

}  // namespace gradc
