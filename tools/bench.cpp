// gradc bench: the time of a step, fused and unfused, beside what the machine could do.
#include <sys/resource.h>

#include "runtime/commands/interrupt.h"
#include "runtime/commands/json_values.h"
#include "runtime/threads.h"
#include "tools/bench_report.h"
#include "tools/commands.h"
#include "tools/roofline.h"
#include "tools/text_table.h"

namespace gradc {
namespace {

constexpr double kBlockSeconds = 0.02;
constexpr int kWarmSteps = 5;
constexpr size_t kLeastSteps = 5;

struct BenchOptions {
  ModelOptions model;
  std::string mode = "train";
  std::string format = "json";
  std::string roofline;
  bool kernels = false;
  bool groups = false;  // the fusion report
  double seconds = 3;
};

/// The most memory this process has had.
int64_t resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

/// Products over the peak; every input read and every output written once.
Work least_work(const Program& program) {
  Work least{program.product_flop, 0};
  for (const ProgramInput& input : program.inputs)
    least.bytes += static_cast<double>(input.type.size_bytes());
  for (const ProgramOutput& output : program.outputs)
    least.bytes += static_cast<double>(output.type.size_bytes());
  return least;
}

/// Constants, data and outputs that are no state.
int64_t unplanned_bytes(const Program& program) {
  int64_t bytes = program.constants.size_bytes();
  for (const ProgramInput& input : program.inputs)
    if (input.kind == InputKind::Data) bytes += input.type.size_bytes();
  for (const ProgramOutput& output : program.outputs)
    if (output.updates_input < 0) bytes += output.type.size_bytes();
  return bytes;
}

void add_program(BenchResult& result, const Program& program, int64_t state_bytes) {
  result.least = least_work(program);
  result.kernel_count = program.steps.size();
  result.arena_bytes = program.arena_bytes;
  result.arena_lower_bound = program.arena_lower_bound;
  result.other_bytes = state_bytes + unplanned_bytes(program);
}

/// Blocks of steps of each kind in turn.
void measure(const BenchOptions& options, BenchSubject& fused, BenchSubject& unfused,
             const BenchBatch& batch, const std::atomic<bool>& stop, BenchResult& result) {
  const GraphMode mode = options.mode == "train" ? GraphMode::Train : GraphMode::Predict;
  const bool has_infer = mode == GraphMode::Train && fused.workspace().has_outputs(batch.rows);
  const auto round = [&](double seconds, Times& fused_times, Times& unfused_times, Times& infer) {
    fused.run_block(mode, batch, seconds, fused_times);
    unfused.run_block(mode, batch, seconds, unfused_times);
    if (has_infer) fused.run_block(GraphMode::Predict, batch, seconds, infer);
  };
  for (int i = 0; i < kWarmSteps; ++i) {
    Times unused;
    round(0, unused, unused, unused);
  }
  const BenchClock::time_point start = BenchClock::now();
  while ((seconds_since(start) < options.seconds || result.fused.count() < kLeastSteps) && !stop)
    round(kBlockSeconds, result.fused, result.unfused, result.infer);
  if (options.kernels && !stop)
    result.kernels = time_kernels(fused.session(), mode, batch, options.seconds / 4);
  if (options.groups && !stop) result.groups = measure_groups(fused, mode, batch, options.seconds);
}

/// False for JSON.
template <typename Result>
bool print_tables(const BenchOptions& options, const Result& result) {
  if (options.format == "json") return false;
  const std::string page = as_markdown(result);
  fmt::print("{}", options.format == "text" ? align_tables(page) : page);
  return true;
}

ExitCode bench_steps(const BenchOptions& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  const GraphMode mode = options.mode == "train" ? GraphMode::Train : GraphMode::Predict;
  BenchSubject fused(options.model, false);
  const BenchBatch batch = first_batch(fused.workspace());
  BenchResult result;
  result.model = fused.workspace().name();
  result.mode = options.mode;
  result.rows = batch.rows;
  Times first;
  fused.run_block(mode, batch, 0, first);
  add_program(result, fused.program(mode, batch), fused.state_bytes());
  result.compile = fused.workspace().compile_phases();
  result.compile_seconds = fused.workspace().compile_seconds();
  result.resident_bytes = resident_bytes();
  const CacheOptions cache = fused.workspace().compile_options().cache;
  result.ceilings = measure_ceilings(cache);
  BenchSubject unfused(options.model, true);
  measure(options, fused, unfused, batch, stop, result);
  if (stop) return interrupted_exit_code();
  result.ceilings.raise_to(measure_ceilings(cache));
  result.unfused_kernel_count = unfused.program(mode, batch).steps.size();
  if (!options.roofline.empty()) write_picture(options.roofline, draw_roofline(result));
  if (!print_tables(options, result))
    for (const nlohmann::ordered_json& line : as_json(result)) print_line(line);
  return ExitCode::Done;
}

/// From the text of the model to the code of its training step.
std::unique_ptr<Workspace> compile_step(const ModelOptions& options, CompileResult& result) {
  auto workspace = std::make_unique<Workspace>(options);
  result.model = workspace->name();
  result.rows = workspace->train_settings().batch;
  const GraphMode mode = workspace->has_optimizer() ? GraphMode::Train : GraphMode::Predict;
  result.kernel_count = workspace->program(mode, result.rows)->steps.size();
  return workspace;
}

/// Again and again: without the cache, and with it where there is one.
ExitCode bench_compile(const BenchOptions& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  ModelOptions uncached = options.model;
  uncached.cache = "off";
  const bool is_cached = !cache_folder(options.model.cache).empty();
  CompileResult result;
  const BenchClock::time_point start = BenchClock::now();
  while ((seconds_since(start) < options.seconds || result.total.count() < kLeastSteps) && !stop) {
    const CompilePhases phases = compile_step(uncached, result)->compile_phases();
    result.elaborate.add(phases.elaborate);
    result.passes.add(phases.passes);
    result.lower.add(phases.lower);
    result.code.add(phases.code);
    result.total.add(phases.total());
    if (!is_cached) continue;
    const CompilePhases again = compile_step(options.model, result)->compile_phases();
    if (result.total.count() > 1) result.cached.add(again.total());
  }
  if (stop) return interrupted_exit_code();
  if (!print_tables(options, result)) print_line(as_json(result));
  return ExitCode::Done;
}

ExitCode run_bench(BenchOptions options) {
  set_threads(options.model.threads);
  if (!options.roofline.empty()) {
    picture_format(options.roofline, false);
    options.kernels = true;
  }
  if (options.mode != "compile") return bench_steps(options);
  if (options.kernels || options.groups)
    throw Error(ExitCode::Usage, "",
                "--kernels, --roofline and --fusion-report are for steps, not for compilation");
  return bench_compile(options);
}

}  // namespace

Action configure_bench(Flags& flags) {
  auto options = std::make_shared<BenchOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  flags
      .add("--mode", &options->mode,
           "train, infer for the outputs alone, or compile for the time to get there")
      .one_of({"train", "infer", "compile"});
  flags.add("--seconds", &options->seconds, "How long to measure").in_real_range(0.01, 3600.0);
  flags.add("--format", &options->format, "json, or tables as text or markdown")
      .one_of({"json", "text", "markdown"});
  flags.add("--kernels", &options->kernels, "The time of each step of the program");
  flags.add("--fusion-report", &options->groups,
            "What each fusion group gains against a kernel for each of its ops");
  flags.add("--roofline", &options->roofline,
            "Draws the kernels below the machine's ceilings: an SVG or PNG file");
  return [options] { return run_bench(*options); };
}

}  // namespace gradc
