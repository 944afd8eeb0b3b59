// Opens models and graph files, loads their data, compiles their graphs.
#include "tools/workspace.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <tuple>

#include "ir/text.h"
#include "passes/recompute.h"
#include "runtime/checksum.h"
#include "runtime/commands/reported_error.h"
#include "runtime/core/signal_safe.h"
#include "runtime/crash_context.h"
#include "runtime/model_interface.h"
#include "runtime/processor.h"
#include "tools/locate_nan.h"
#include "tools/memory_table.h"
#include "tools/read_text.h"
#include "tools/version.h"

namespace gradc {
namespace {

std::vector<FieldType> field_types(const DataDescription& description) {
  std::vector<FieldType> types;
  for (const auto& field : description.fields)
    types.push_back({field.name, field.row_type.dtype, field.row_type.shape});
  return types;
}

/// The same data, its path seen from `folder`.
std::string rebased(const std::string& setting, const std::filesystem::path& folder) {
  if (is_data_call(setting)) {
    DataSource source = parse_data_call(setting);
    if (!source.path.empty()) source.path = (folder / source.path).string();
    return to_text(source);
  }
  const DataFormat* format = find_data_format(setting);
  const bool is_path = !setting.empty() && (format == nullptr || !format->is_built_in());
  return is_path ? (folder / setting).string() : setting;
}

/// Throws Error (E0111) for a setting of a kind that there is no setting of.
Settings settings_of(const Attrs& attrs) {
  Settings settings;
  for (const auto& [key, value] : attrs.entries()) {
    if (const auto* flag = std::get_if<bool>(&value))
      settings.set(key, *flag);
    else if (const auto* number = std::get_if<int64_t>(&value))
      settings.set(key, *number);
    else if (const auto* text = std::get_if<std::string>(&value))
      settings.set(key, *text);
    else
      throw Error(ExitCode::ModelOrData, "E0111",
                  fmt::format("the setting `{}` is neither a whole number nor true, false or a "
                              "string",
                              key));
  }
  return settings;
}

/// Of a graph file without any, such as a part of a graph.
Settings settings_without_training() {
  Settings settings;
  for (const char* key : {"data", "test", "optimizer"}) settings.set(key, std::string());
  for (const char* key : {"batch", "eval_batch"}) settings.set(key, int64_t{32});
  settings.set("epochs", int64_t{1});
  settings.set("seed", int64_t{0});
  settings.set("shuffle", true);
  settings.set("last_batch", std::string("keep"));
  return settings;
}

Attrs attrs_of(const Settings& settings) {
  Attrs attrs;
  for (const auto& [key, value] : settings.entries())
    std::visit([&, &name = key](const auto& typed) { attrs.set(name, typed); }, value);
  return attrs;
}

/// A graph file keeps parameters, not layers: the table has one row for each parameter and state.
std::vector<LayerRow> rows_of_graph(const Graph& graph) {
  std::vector<LayerRow> rows;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    const bool is_parameter = input.kind == InputKind::Parameter;
    if (!is_parameter && input.kind != InputKind::State) continue;
    const Type& type = graph.type(Graph::input_value(i));
    LayerRow row;
    row.path = input.name;
    row.layer = is_parameter ? "parameter" : "state";
    row.output = to_string(type);
    (is_parameter ? row.parameters : row.states) = type.shape.element_count();
    for (const Output& output : graph.outputs())
      if (output.kind == OutputKind::Parameter && output.name == input.name)
        row.trainable = row.parameters;
    rows.push_back(row);
  }
  return rows;
}

class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total), start_(Clock::now()) {}
  ~Stopwatch() { total_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& total_;
  Clock::time_point start_;
};

}  // namespace

Workspace::Workspace(ModelOptions options)
    : options_(std::move(options)), diagnostics_(std::make_unique<Diagnostics>()) {
  const Stopwatch stopwatch(compile_seconds_);
  const Stopwatch reading(phases_.elaborate);
  const std::string text = read_text(options_.model);
  note_crash_input({is_graph_text(text) ? "model.graph" : "model.grad", text});
  const CrashScope scope("reading the model");
  if (is_graph_text(text)) {
    module_ = parse_module(text, options_.model);
    const Settings dumped = module_->settings.entries().empty() ? settings_without_training()
                                                                : settings_of(module_->settings);
    check_settings(dumped, ExitCode::ModelOrData);
    settings_ = override_settings(dumped, overrides(options_), "a dumped graph");
  } else {
    with_diagnostics([&] {
      const std::string title = options_.model == "-" ? "<stdin>" : options_.model;
      model_ = Model::read_text(title, text, {overrides(options_)}, *diagnostics_);
      settings_ = settings_of(model_->settings());
    });
  }
  if (model_) rebase_data_paths();
  if (!options_.data.empty()) replace_data(options_.data);
}

Workspace::~Workspace() = default;

const std::string& Workspace::name() const { return module_ ? module_->name : model_->name(); }

std::span<const Graph> Workspace::graphs() const {
  if (!module_)
    throw Error(ExitCode::Usage, "", fmt::format("`{}` is no graph file", options_.model));
  return module_->graphs;
}

std::string Workspace::target() const { return target_description(); }

std::string Workspace::compiler() const { return version_with_libraries(); }

void Workspace::show_diagnostics() {
  Diagnostics fresh;
  for (const Diagnostic* diagnostic : diagnostics_->sorted()) {
    if (options_.shows_names && diagnostic->code == "W0201") continue;
    if (shown_.insert(render(*diagnostic)).second) fresh.report(*diagnostic);
  }
  if (options_.json) {
    fmt::print("{}", render_json(fresh));
  } else {
    say(render(fresh, {.color = wants_color(STDERR_FILENO)}));
  }
}

void Workspace::with_diagnostics(const std::function<void()>& action) {
  try {
    action();
  } catch (const ModelError&) {
    show_diagnostics();
    throw ReportedError(ExitCode::ModelOrData);
  }
  show_diagnostics();
}

void Workspace::bind_named_data() {
  if (has_description() || settings_.text("data").empty()) return;
  try {
    description();
  } catch (const Error& fault) {
    // A model can be looked at without its data.
    if (fault.code() != "E0911") throw;
  }
}

void Workspace::rebase_data_paths() {
  const std::filesystem::path folder = std::filesystem::path(options_.model).parent_path();
  if (options_.model == "-" || folder.empty()) return;
  for (const char* key : {"data", "test"}) {
    const auto given = overrides(options_);
    const bool is_overridden = std::any_of(given.begin(), given.end(),
                                           [&](const auto& pair) { return pair.first == key; });
    if (!is_overridden) settings_.set(key, rebased(settings_.text(key), folder));
  }
}

std::vector<DeclaredField> Workspace::declared_fields() {
  std::vector<DeclaredField> fields;
  const auto add = [&](const Input& input, const Type& type) {
    const bool is_known = std::any_of(fields.begin(), fields.end(),
                                      [&](const auto& field) { return field.name == input.name; });
    if (!is_known) fields.push_back({input.name, row_type(type), input.limit});
  };
  if (model_) {
    with_diagnostics([&] {
      for (const auto& [input, type] : model_->inputs(settings_.integer("batch"))) add(input, type);
    });
    return fields;
  }
  for (const Graph& graph : module_->graphs)
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      if (graph.inputs()[i].kind == InputKind::Data)
        add(graph.inputs()[i], graph.type(Graph::input_value(i)));
  return fields;
}

std::vector<std::pair<std::string, std::optional<DType>>> Workspace::fields_read() const {
  std::vector<std::pair<std::string, std::optional<DType>>> fields;
  if (model_) {
    const std::vector<std::string> names = model_->input_names();
    const std::vector<std::optional<DType>> dtypes = model_->input_dtypes();
    for (size_t i = 0; i < names.size(); ++i) fields.emplace_back(names[i], dtypes[i]);
    return fields;
  }
  for (const Graph& graph : module_->graphs)
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      if (const Input& input = graph.inputs()[i];
          input.kind == InputKind::Data &&
          std::none_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return field.first == input.name; }))
        fields.emplace_back(input.name, graph.type(Graph::input_value(i)).dtype);
  return fields;
}

DataSource Workspace::source_of(const std::string& setting) {
  DataSource source = parse_data_source(setting);
  for (const auto& [name, dtype] : fields_read()) source.wanted[name] = dtype;
  if (fits_model(source)) source.declared = declared_fields();
  return source;
}

void Workspace::on_description(const DataDescription& given) {
  if (!model_) return;
  with_diagnostics([&] {
    model_->bind_data(field_types(given));
    model_->bind_row_count(given.train_rows);
  });
}

std::vector<std::string> Workspace::input_names() const {
  std::vector<std::string> names;
  for (const auto& [name, dtype] : fields_read()) names.push_back(name);
  return names;
}

bool Workspace::has_outputs(int64_t rows) {
  if (!model_) return holds(GraphMode::Predict, rows);
  bool result = false;
  with_diagnostics([&] { result = model_->has_outputs(rows); });
  return result;
}

bool Workspace::holds(GraphMode mode, int64_t rows) const {
  if (!module_) return true;
  for (const Graph& graph : module_->graphs)
    if (graph.mode == mode && (graph.rows == rows || graph.rows == 0)) return true;
  return false;
}

Graph Workspace::source_graph(GraphMode mode, int64_t rows, const GraphRequest& request) {
  if (module_) {
    for (const Graph& graph : module_->graphs)
      if (graph.mode == mode && (graph.rows == rows || graph.rows == 0)) return graph;
    std::string held;
    for (const Graph& graph : module_->graphs)
      held += fmt::format("{}{} ({} rows)", held.empty() ? "" : ", ", gradc::name(graph.mode),
                          graph.rows);
    throw Error(ExitCode::ModelOrData, "E0908",
                fmt::format("{} holds no {} graph{}; it holds: {}", options_.model,
                            gradc::name(mode), rows == 0 ? "" : fmt::format(" for {} rows", rows),
                            held.empty() ? "nothing" : held));
  }
  bind_named_data();
  double seconds = 0;
  std::optional<Graph> graph;
  const auto elaborate = [&] {
    const Stopwatch stopwatch(seconds);
    graph = model_->elaborate(mode, rows, request);
  };
  with_diagnostics(elaborate);
  const std::lock_guard lock(phases_mutex_);
  phases_.elaborate += seconds;
  return *std::move(graph);
}

Graph Workspace::graph(GraphMode mode, int64_t rows, Stage stage, const GraphRequest& request) {
  return run_until(source_graph(mode, rows, request), stage, pipeline_options());
}

Module Workspace::module(Stage stage) {
  Module result;
  result.name = name();
  result.settings = attrs_of(settings_);
  if (module_) {
    result.graphs = module_->graphs;
    return run_until(result, stage, pipeline_options());
  }
  const TrainSettings train = train_settings();
  const bool has_data = !settings_.text("data").empty();
  const int64_t train_rows = has_data ? description().train_rows : train.batch;
  const int64_t test_rows = has_data ? test_row_count() : train.eval_batch;
  const auto add = [&](GraphMode mode, int64_t rows) {
    result.graphs.push_back(graph(mode, rows, stage));
  };
  add(GraphMode::Init, 0);
  if (has_optimizer())
    for (int64_t rows : row_counts(train_rows, train.batch, train.drop_last))
      add(GraphMode::Train, rows);
  const std::vector<int64_t> test_counts = row_counts(test_rows, train.eval_batch, false);
  for (int64_t rows : test_counts) add(GraphMode::Evaluate, rows);
  add(GraphMode::Metrics, 0);
  for (int64_t rows : test_counts)
    if (has_outputs(rows)) add(GraphMode::Predict, rows);
  return result;
}

PipelineOptions Workspace::pipeline_options() const {
  PipelineOptions options;
  options.fuse = !options_.unfused;
  return options;
}

CompileOptions Workspace::compile_options() const {
  return {.backend = options_.backend == "llvm" ? Backend::Llvm : Backend::Auto,
          .is_deterministic = options_.is_deterministic,
          .cache = {cache_folder(options_.cache), options_.explains_cache},
          .guards = !options_.unguarded};
}

Graph Workspace::fit_limit(Graph fused, std::string& table) const {
  if (options_.memory_limit == 0) return fused;
  const CompileOptions compile = compile_options();
  Recomputation fitted = fit_memory(fused, options_.memory_limit, [&](const Graph& graph) {
    return lower(graph, compile).memory;
  });
  const std::string rows = fused.rows > 0 ? fmt::format(", {} rows", fused.rows) : "";
  const std::string title = fmt::format("{} ({}{})", fused.name, gradc::name(fused.mode), rows);
  check_limit(title, fitted, options_.memory_limit);
  table = memory_table(title, fitted, options_.memory_limit);
  return std::move(fitted.graph);
}

std::pair<Graph, bool> Workspace::limited_graph(Graph fused) const {
  std::string table;
  const bool is_serial = lower(fused, compile_options()).program.is_serial;
  Graph fitted = fit_limit(std::move(fused), table);
  say(table);
  return {std::move(fitted), is_serial};
}

std::shared_ptr<const Program> Workspace::compile_graph(const Graph& graph) const {
  const CrashScope scope("compiling a source graph", [&] {
    return print(Module{name(), {}, {graph}});
  });
  double passes = 0;
  CompileSeconds seconds;
  std::optional<Graph> fused;
  std::optional<bool> is_serial;
  {
    const Stopwatch stopwatch(passes);
    fused = run_until(graph, Stage::Fused, pipeline_options());
    if (options_.memory_limit > 0) std::tie(fused, is_serial) = limited_graph(*std::move(fused));
  }
  Program program = compile(*fused, compile_options(), &seconds);
  program.is_serial = is_serial.value_or(program.is_serial);
  const std::lock_guard lock(phases_mutex_);
  phases_.passes += passes;
  phases_.lower += seconds.lower;
  phases_.code += seconds.code;
  return std::make_shared<const Program>(std::move(program));
}

CompilePhases Workspace::compile_phases() const {
  const std::lock_guard lock(phases_mutex_);
  return phases_;
}

std::shared_ptr<const Program> Workspace::program(GraphMode mode, int64_t rows) {
  const Stopwatch stopwatch(compile_seconds_);
  const auto started = compiling_.find({mode, rows});
  if (started == compiling_.end()) return compile_graph(source_graph(mode, rows));
  auto program = std::move(started->second);
  compiling_.erase(started);
  return program.get();
}

void Workspace::prefetch_program(GraphMode mode, int64_t rows) {
  const Stopwatch stopwatch(compile_seconds_);
  compiling_[{mode, rows}] =
      std::async(std::launch::async, [this, graph = source_graph(mode, rows)] {
        const CrashStack stack;
        return compile_graph(graph);
      });
}

std::string Workspace::step_hash(int64_t rows) {
  if (!has_optimizer() || !holds(GraphMode::Train, rows)) return {};
  const std::string text = fmt::format("{}\n{}", options_.backend,
                                       print_without_origins(source_graph(GraphMode::Train, rows)));
  return checksum_text(std::as_bytes(std::span(text)));
}

std::string Workspace::locate_nan(Session& session, std::span<const Field> fields, int64_t rows) {
  const Graph fused = graph(GraphMode::Train, rows, Stage::Fused);
  std::vector<Tensor> inputs;
  for (const Input& input : fused.inputs()) {
    if (input.kind != InputKind::Data) {
      inputs.push_back(session.input(input.kind, input.name));
      continue;
    }
    for (const Field& field : fields)
      if (field.name == input.name) inputs.push_back(field.values);
  }
  const auto compile_fused = [this](const Graph& graph) {
    return std::make_shared<const Program>(compile(graph, compile_options()));
  };
  return gradc::locate_nan(fused, compiled_values(with_all_outputs(fused), inputs, compile_fused));
}

std::vector<LayerRow> Workspace::summary_rows() {
  const int64_t batch = settings_.integer("batch");
  if (!model_) return rows_of_graph(source_graph(GraphMode::Train, batch));
  bind_named_data();
  std::vector<LayerRow> result;
  with_diagnostics([&] { result = model_->layers(batch); });
  return result;
}

std::vector<LayerNode> Workspace::layer_graph(int64_t rows) {
  bind_named_data();
  std::vector<LayerNode> result;
  with_diagnostics([&] { result = model_->layer_graph(rows); });
  return result;
}

}  // namespace gradc
