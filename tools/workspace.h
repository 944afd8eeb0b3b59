// A model, its data and its compiled programs: what every command works on.
#pragma once
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "codegen/compile.h"
#include "frontend/model.h"
#include "passes/pipeline.h"
#include "runtime/commands/runnable_model.h"
#include "tools/model_options.h"

namespace gradc {

/// Seconds of compilation by phase; those of other threads may overlap.
struct CompilePhases {
  double elaborate = 0;  // and reading the model
  double passes = 0;
  double lower = 0;
  double code = 0;
  double total() const { return elaborate + passes + lower + code; }
};

/// Opened from model text or from a dumped graph; both behave alike.
class Workspace : public RunnableModel {
 public:
  /// Reads the file. Diagnostics go to stderr; throws ReportedError after errors.
  explicit Workspace(ModelOptions options);
  ~Workspace() override;

  const ModelOptions& options() const { return options_; }
  const std::string& name() const override;
  std::string target() const override;
  bool is_deterministic() const override { return options_.is_deterministic; }
  std::string compiler() const override;
  std::string step_hash(int64_t rows) override;
  std::string locate_nan(Session& session, std::span<const Field> fields, int64_t rows) override;
  bool is_graph_file() const { return module_.has_value(); }
  /// Those of a graph file. Throws Error (Usage) for a model.
  std::span<const Graph> graphs() const;
  TrainSettings train_settings() const { return gradc::train_settings(settings_); }
  /// False where the model has no optimizer: there is no train graph then.
  bool has_optimizer() const { return gradc::has_optimizer(settings_); }

  /// Binds other data than the settings'; `data()` is not to be used then.
  void bind(const DataDescription& given) { set_description(given); }
  /// The fields the model reads.
  std::vector<std::string> input_names() const;
  /// With their dtypes; nothing where any will do.
  std::vector<std::pair<std::string, std::optional<DType>>> fields_read() const;
  /// The same with what the model declares of them, before any data is bound.
  std::vector<DeclaredField> declared_fields();

  /// False for a model without an `output`.
  bool has_outputs(int64_t rows);
  /// False for a graph file without such a graph.
  bool holds(GraphMode mode, int64_t rows) const;
  /// A graph as the file holds it: stage `model`, or whatever stage was dumped. Warnings and errors
  /// of elaboration go to stderr.
  Graph source_graph(GraphMode mode, int64_t rows, const GraphRequest& request = {});
  /// The same after the pipeline up to `stage`.
  Graph graph(GraphMode mode, int64_t rows, Stage stage, const GraphRequest& request = {});
  /// Every graph that training, evaluation and prediction on the data need, at `stage`; on one
  /// batch where the settings name no data.
  Module module(Stage stage);

  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override;
  /// Starts to compile it in a thread.
  void prefetch_program(GraphMode mode, int64_t rows) override;
  /// A fused graph that keeps the memory limit, and whether its program is serial, which a limit
  /// does not change: the library's bits depend on the threads. What it costs goes to stderr.
  std::pair<Graph, bool> limited_graph(Graph fused) const;
  /// A program for a graph of one's own, through the same pipeline.
  std::shared_ptr<const Program> compile_graph(const Graph& graph) const;
  /// A fused graph that keeps the memory limit, and in `table` what that costs; the graph itself
  /// where there is no limit or it is kept anyway. Throws Error (InputOutput, E0806).
  Graph fit_limit(Graph fused, std::string& table) const;
  PipelineOptions pipeline_options() const;
  CompileOptions compile_options() const;

  /// The layer table; of a graph file the parameters and states.
  std::vector<LayerRow> summary_rows() override;
  /// The picture of the layers; not for a graph file.
  std::vector<LayerNode> layer_graph(int64_t rows);
  /// Seconds spent in elaboration, passes and code generation so far.
  double compile_seconds() const override { return compile_seconds_; }
  CompilePhases compile_phases() const;

 private:
  /// Runs `action`; shows what it reported; turns a refused model into ReportedError.
  void with_diagnostics(const std::function<void()>& action);
  /// Those that have not been shown yet.
  void show_diagnostics();
  DataSource source_of(const std::string& setting) override;
  /// Binds the data to the model's inputs.
  void on_description(const DataDescription& given) override;
  /// Binds the data that the settings name, if it is there: dimensions of the inputs may come from
  /// it.
  void bind_named_data();
  /// Makes the paths of a model's data, which count from the model's folder, count from the current
  /// one.
  void rebase_data_paths();

  ModelOptions options_;
  std::unique_ptr<Diagnostics> diagnostics_;
  std::set<std::string> shown_;  // as rendered
  std::optional<Model> model_;
  std::optional<Module> module_;
  double compile_seconds_ = 0;
  mutable std::mutex phases_mutex_;
  mutable CompilePhases phases_;
  /// Last, as it is waited for before what it works on goes.
  std::map<std::pair<GraphMode, int64_t>, std::future<std::shared_ptr<const Program>>> compiling_;
};

}  // namespace gradc
