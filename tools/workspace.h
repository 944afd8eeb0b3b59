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
#include "runtime/data/load.h"
#include "runtime/session.h"
#include "runtime/train.h"
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
class Workspace : public ProgramSource {
 public:
  /// Reads the file. Diagnostics go to stderr; throws ReportedError after errors.
  explicit Workspace(ModelOptions options);
  ~Workspace() override;

  const ModelOptions& options() const { return options_; }
  const std::string& name() const;
  bool is_graph_file() const { return module_.has_value(); }
  /// The evaluated train block with the overrides of the command line.
  const Attrs& settings() const { return settings_; }
  TrainSettings train_settings() const;
  /// False where the model has no optimizer: there is no train graph then.
  bool has_optimizer() const;

  /// What the data that the settings name looks like, bound to the model's inputs on first use.
  const DataDescription& description();
  /// Starts to read the data, so that it overlaps with compilation. AsRead: the rows of data() may
  /// be left to fillers, those of test_data() are not.
  enum class Rows { All, AsRead };
  void prefetch_data(Rows rows = Rows::All);
  /// The data itself; waits until it is read.
  const DataSplit& data();
  /// Binds other data than the settings'; `data()` is not to be used then.
  void bind(const DataDescription& given);
  /// The fields the model reads.
  std::vector<std::string> input_names() const;
  /// What `eval` and the test after training read: the settings' `test`, else the data's own test
  /// rows, else the training rows.
  const Dataset& test_data();
  int64_t test_row_count();
  /// True where there are rows that were not trained on.
  bool has_test_data();

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
  /// Starts to compile the program, so that it overlaps with what comes before its first use.
  void prefetch_program(GraphMode mode, int64_t rows);
  /// A program for a graph of one's own, through the same pipeline.
  std::shared_ptr<const Program> compile_graph(const Graph& graph) const;
  /// A fused graph that keeps the memory limit, and in `table` what that costs; the graph itself
  /// where there is no limit or it is kept anyway. Throws Error (InputOutput, E0806).
  Graph fit_limit(Graph fused, std::string& table) const;
  PipelineOptions pipeline_options() const;
  CompileOptions compile_options() const;

  /// The layer table; empty for a graph file.
  std::vector<LayerRow> layers(int64_t rows);
  /// The picture of the layers; not for a graph file.
  std::vector<LayerNode> layer_graph(int64_t rows);
  /// Seconds spent in elaboration, passes and code generation so far.
  double compile_seconds() const { return compile_seconds_; }
  CompilePhases compile_phases() const;

 private:
  /// Runs `action`; shows what it reported; turns a refused model into ReportedError.
  void with_diagnostics(const std::function<void()>& action);
  /// Those that have not been shown yet.
  void show_diagnostics();
  /// A setting with the fields that the model has a use for.
  DataSource source_of(const std::string& setting);
  DataSource settings_source();
  /// The data inputs of a graph of the model before any data is bound.
  std::vector<DeclaredField> declared_fields();
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
  Attrs settings_;
  std::optional<DataDescription> description_;
  std::future<DataSplit> loading_;
  std::optional<DataSplit> data_;
  std::optional<Dataset> test_;
  double compile_seconds_ = 0;
  mutable std::mutex phases_mutex_;
  mutable CompilePhases phases_;
  /// Last, as it is waited for before what it works on goes.
  std::map<std::pair<GraphMode, int64_t>, std::future<std::shared_ptr<const Program>>> compiling_;
};

/// The row counts that a pass over `rows` rows in batches of `batch` needs: {batch, the rest}.
std::vector<int64_t> row_counts(int64_t rows, int64_t batch, bool drop_last);

}  // namespace gradc
