// gradc bench: the time of one training step, fused and unfused, data already in memory.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "codegen/host.h"
#include "runtime/data/batches.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/json_values.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct BenchOptions {
  ModelOptions model;
  std::string mode = "train";
  double seconds = 3;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A model compiled one way, and the times of its steps.
class Subject {
 public:
  Subject(const ModelOptions& options, bool unfused)
      : workspace_(with_fusion(options, unfused)), session_(workspace_, 0) {
    const Dataset& data = workspace_.data().train;
    const int64_t batch = std::min(workspace_.train_settings().batch, data.rows());
    const Batch first = Batches(data, {.size = batch, .shuffle = false}).read(0);
    for (size_t i = 0; i < data.fields.size(); ++i)
      fields_.push_back({data.fields[i].name, first.values[i]});
    rows_ = first.rows;
    session_.initialize();
  }

  void step(GraphMode mode) {
    const double start = seconds_now();
    session_.execute(mode, fields_, rows_);
    times_.push_back(seconds_now() - start);
  }
  void forget_times() { times_.clear(); }
  size_t count() const { return times_.size(); }
  double median_ms() {
    std::nth_element(times_.begin(), times_.begin() + static_cast<int64_t>(times_.size() / 2),
                     times_.end());
    return times_[times_.size() / 2] * 1e3;
  }
  int64_t rows() const { return rows_; }
  Workspace& workspace() { return workspace_; }
  const Program& program(GraphMode mode) { return session_.program(mode, rows_); }

 private:
  static ModelOptions with_fusion(ModelOptions options, bool unfused) {
    options.unfused = unfused;
    return options;
  }

  Workspace workspace_;
  Session session_;
  std::vector<Field> fields_;
  int64_t rows_ = 0;
  std::vector<double> times_;
};

ExitCode run_bench(const BenchOptions& options) {
  set_threads(options.model.threads);
  const std::atomic<bool>& stop = stop_on_signal();
  const GraphMode mode = options.mode == "train" ? GraphMode::Train : GraphMode::Predict;
  Subject fused(options.model, false);
  Subject unfused(options.model, true);
  for (int i = 0; i < 5; ++i) {
    fused.step(mode);
    unfused.step(mode);
  }
  fused.forget_times();
  unfused.forget_times();
  const double end = seconds_now() + options.seconds;
  while ((seconds_now() < end || fused.count() < 5) && !stop) {
    fused.step(mode);
    unfused.step(mode);
  }
  if (stop) return interrupted_exit_code();
  const Program& program = fused.program(mode);
  const double fused_ms = fused.median_ms();
  const double unfused_ms = unfused.median_ms();
  print_line({{"event", "end"},
              {"model", fused.workspace().name()},
              {"mode", options.mode},
              {"target", target_description()},
              {"threads", threads()},
              {"rows", fused.rows()},
              {"fused_ms", fused_ms},
              {"unfused_ms", unfused_ms},
              {"speedup", unfused_ms / fused_ms},
              {"samples_per_s", static_cast<double>(fused.rows()) / fused_ms * 1e3},
              {"steps", fused.count()},
              {"kernels", program.steps.size()},
              {"unfused_kernels", unfused.program(mode).steps.size()},
              {"arena_bytes", program.arena_bytes},
              {"arena_lower_bound", program.arena_lower_bound},
              {"compile_ms", fused.workspace().compile_seconds() * 1e3}});
  return ExitCode::Done;
}

}  // namespace

Action configure_bench(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  add_model_flags(app, options->model);
  add_data_flags(app, options->model);
  add_execution_flags(app, options->model);
  app.add_option("--mode", options->mode, "train, or infer for the outputs alone")
      ->check(CLI::IsMember({"train", "infer"}));
  app.add_option("--seconds", options->seconds, "How long to measure")
      ->check(CLI::Range(0.01, 3600.0));
  return [options] { return run_bench(*options); };
}

}  // namespace gradc
