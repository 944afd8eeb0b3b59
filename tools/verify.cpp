// gradc verify: every pass against the one before, every compiled tensor against the interpreter,
// every gradient against finite differences; on a difference the least graph that shows it.
#include <fmt/format.h>

#include <bit>
#include <filesystem>

#include "codegen/lower_nest.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "runtime/commands/json_values.h"
#include "runtime/core/signal_safe.h"
#include "runtime/data/batches.h"
#include "runtime/execute.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/verify_graph.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct VerifyOptions {
  ModelOptions model;
  std::string corrupted_derivative, corrupted_pass, corrupted_kernel;  // for trying verify out
  std::string feed;
  std::string reproducer = ".";
  std::optional<int64_t> rows;
  int64_t steps = 1;
};

/// Rows that are checked where the flag does not say, if the batch has as many.
constexpr int64_t kRows = 8;
/// Rows that a reproducer may do with, the fewest first.
constexpr int64_t kFewRows[] = {1, 2, 4};

/// A word as the shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+:,=@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// What was found, told as it is found.
class Findings {
 public:
  explicit Findings(bool json) : json_(json) {}

  void fail(const std::string& check, const Disagreement& disagreement) {
    ++failures_;
    if (json_) {
      print_line({{"event", "failure"},
                  {"check", check},
                  {"where", disagreement.where},
                  {"what", disagreement.what}});
    } else {
      fmt::print("FAIL {}: {}\n     {}\n", check, disagreement.where, disagreement.what);
    }
  }
  void note(const std::string& text) {
    if (json_)
      print_line({{"event", "note"}, {"text", text}});
    else
      fmt::print("ok   {}\n", text);
  }
  /// `path` with .graph and .safetensors; `flags` are those of this run that the difference needs.
  void reproduced(const std::string& path, const GraphCase& written, const std::string& flags) {
    const std::string command =
        fmt::format("gradc verify {} --feed {}{}", shell_word(path + ".graph"),
                    shell_word(path + ".safetensors"), flags);
    if (json_)
      print_line(
          {{"event", "reproducer"}, {"nodes", written.graph.nodes().size()}, {"command", command}});
    else
      fmt::print("     the same with {} nodes: {}\n", written.graph.nodes().size(), command);
  }
  int failures() const { return failures_; }

 private:
  bool json_;
  int failures_ = 0;
};

Tensor seed_tensor(uint64_t seed) {
  Tensor tensor(DType::I64, Shape());
  tensor.span<int64_t>()[0] = std::bit_cast<int64_t>(seed);
  return tensor;
}

/// The state that the interpreter gets from the init graph, by name.
std::map<std::string, Tensor> initial_state(Workspace& workspace, uint64_t seed) {
  const Graph graph = workspace.graph(GraphMode::Init, 0, Stage::Optimized);
  const std::vector<Tensor> inputs(graph.inputs().size(), seed_tensor(seed));
  const std::vector<Tensor> values = interpret(graph, inputs);
  std::map<std::string, Tensor> state;
  for (size_t i = 0; i < values.size(); ++i) state[graph.outputs()[i].name] = values[i];
  return state;
}

/// The flags of the faults that are planted.
std::string faults_of(const VerifyOptions& options) {
  std::string flags;
  for (const auto& [flag, value] :
       {std::pair{"--corrupt-derivative", &options.corrupted_derivative},
        {"--corrupt-pass", &options.corrupted_pass},
        {"--corrupt-kernel", &options.corrupted_kernel}})
    if (!value->empty()) flags += fmt::format(" {} {}", flag, *value);
  return flags;
}

/// The flags of the command line that decide what code is made, and what is planted.
std::string flags_of(const VerifyOptions& options) {
  std::string flags;
  if (options.model.unfused) flags += " --unfused";
  if (options.model.backend != "auto") flags += " --backend " + options.model.backend;
  if (options.model.is_deterministic) flags += " --deterministic";
  if (options.model.threads > 0) flags += fmt::format(" --threads {}", options.model.threads);
  return flags + faults_of(options);
}

/// The checks of one command, and what they write.
class Verification {
 public:
  Verification(Workspace& workspace, const VerifyOptions& options, Findings& findings)
      : workspace_(workspace),
        options_(options),
        findings_(findings),
        checks_{
            workspace.pipeline_options(), [&workspace](const Graph& graph) {
              return std::make_shared<const Program>(compile(graph, workspace.compile_options()));
            }} {}

  const GraphChecks& checks() const { return checks_; }
  const CompileGraph& compile_graph() const { return checks_.compile_graph; }

  /// `smaller` makes the same graph and its inputs for fewer rows, if it can.
  using ForRows = std::function<std::optional<GraphCase>(int64_t)>;
  void check_code(const std::string& title, const GraphCase& given, const ForRows& smaller = {}) {
    const GraphReport report = checks_.check_code(given.graph, given.inputs);
    for (const GraphFinding& found : report.findings) tell(title, found, given.graph.rows, smaller);
    findings_.note(
        fmt::format("{}: {} passes, {} compiled tensors", title, report.passes, report.tensors));
  }

  void check_gradients(const std::string& title, const GraphCase& given) {
    const GraphReport report = checks_.check_gradients(given.graph, given.inputs);
    if (report.gradients == 0)
      return findings_.note(title + ": none in this graph (differentiated before it was dumped?)");
    for (const GraphFinding& found : report.findings) tell(title, found, given.graph.rows, {});
    if (report.findings.empty())
      findings_.note(fmt::format("{}: {} against finite differences, worst relative error {:.2g}",
                                 title, report.gradients, report.worst_gradient));
  }

  /// A difference of a whole step that no part of it shows.
  void fail_as_a_whole(const std::string& title, const Disagreement& disagreement,
                       const GraphCase& given) {
    findings_.fail(title, disagreement);
    write("step", given);
  }

 private:
  void tell(const std::string& title, const GraphFinding& found, int64_t rows,
            const ForRows& smaller) {
    const std::string check(title_of(found.check));
    findings_.fail(found.check == GraphCheck::Gradients ? title : title + ", " + check,
                   found.difference.disagreement);
    if (!written_.insert(found.check).second) return;
    write(check, checks_.reproducer(with_few_rows(found, rows, smaller)));
  }

  /// The finding on as few rows as still show it.
  GraphFinding with_few_rows(const GraphFinding& found, int64_t rows,
                             const ForRows& smaller) const {
    if (!smaller) return found;
    for (int64_t fewer : kFewRows) {
      if (fewer >= rows) break;
      const std::optional<GraphCase> given = smaller(fewer);
      if (!given) continue;
      for (const GraphFinding& again : checks_.check_code(given->graph, given->inputs).findings)
        if (again.check == found.check) return again;
    }
    return found;
  }

  /// A reproducer that cannot be written takes nothing from the finding.
  void write(std::string check, const GraphCase& given) {
    std::replace(check.begin(), check.end(), ' ', '-');
    const std::filesystem::path folder(options_.reproducer);
    const std::string path =
        (folder / fmt::format("{}-{}", workspace_.name(), check)).lexically_normal().string();
    try {
      std::filesystem::create_directories(folder);
      write_case(path, given);
      findings_.reproduced(path, given, flags_of(options_));
    } catch (const std::exception& fault) {
      say(fmt::format("verify: no reproducer: {}\n", fault.what()));
    }
  }

  Workspace& workspace_;
  const VerifyOptions& options_;
  Findings& findings_;
  GraphChecks checks_;
  std::set<GraphCheck> written_;
};

/// The graphs of a model on batches of its training data.
class ModelVerification {
 public:
  ModelVerification(Workspace& workspace, int64_t rows, Verification& verification)
      : workspace_(workspace),
        verification_(verification),
        rows_(rows),
        seed_(workspace.train_settings().seed),
        state_(initial_state(workspace, seed_)) {}

  void check_graph(GraphMode mode) {
    const std::optional<GraphCase> given = case_of(mode, rows_);
    if (!given) return;
    verification_.check_code(title_of(mode), *given,
                             [&](int64_t rows) { return case_of(mode, rows); });
  }

  void check_gradients_of_loss() {
    if (const std::optional<GraphCase> given = case_of(GraphMode::Train, rows_))
      verification_.check_gradients("gradients", *given);
  }

  /// Trains on: every step compiled and interpreted, both from the state of the compiled run, so
  /// that rounding does not add up. Ends with the step that differs, which is taken apart.
  void check_steps(int64_t steps, Findings& findings) {
    std::optional<GraphCase> given = case_of(GraphMode::Train, rows_);
    if (!given || steps < 2) return;
    const auto program = verification_.compile_graph()(
        run_until(given->graph, Stage::Fused, verification_.checks().options));
    Executor executor(program);
    for (int64_t step = 0; step < steps; ++step) {
      given = case_of(GraphMode::Train, rows_);
      if (step > 0 && !check_step(step, *given, executor)) return;
      take_step(*given, executor);
      batch_ = (batch_ + 1) % batches(rows_).count();
    }
    findings.note(fmt::format("{} training steps", steps));
  }

 private:
  /// All of `rows` rows, which is what the graph was made for.
  Batches batches(int64_t rows) const {
    return Batches(workspace_.data().train,
                   {.size = rows, .shuffle = false, .last_batch = LastBatch::Drop});
  }

  std::string title_of(GraphMode mode) const {
    return fmt::format("{} graph, {} rows", name(mode), mode == GraphMode::Init ? 0 : rows_);
  }

  /// Nothing where the model has no such graph.
  std::optional<GraphCase> case_of(GraphMode mode, int64_t rows) const {
    if (mode == GraphMode::Init) rows = 0;
    if (!workspace_.holds(mode, rows)) return std::nullopt;
    if (mode == GraphMode::Train && !workspace_.has_optimizer()) return std::nullopt;
    if (mode == GraphMode::Predict && !workspace_.has_outputs(rows)) return std::nullopt;
    GraphCase made{workspace_.source_graph(mode, rows), {}};
    if (made.graph.outputs().empty()) return std::nullopt;
    std::optional<Batch> batch;
    for (size_t i = 0; i < made.graph.inputs().size(); ++i) {
      const Input& input = made.graph.inputs()[i];
      const Type& type = made.graph.type(Graph::input_value(i));
      if (input.kind == InputKind::Data) {
        if (!batch) batch = batches(rows).read(rows == rows_ ? batch_ : 0);
        made.inputs.push_back(field(*batch, input.name));
      } else if (const auto found = state_.find(input.name); found != state_.end()) {
        made.inputs.push_back(found->second.clone());
      } else {
        made.inputs.push_back(input.kind == InputKind::Seed ? seed_tensor(seed_) : Tensor(type));
      }
    }
    return made;
  }

  Tensor field(const Batch& batch, const std::string& name) const {
    const Dataset& data = workspace_.data().train;
    for (size_t i = 0; i < data.fields.size(); ++i)
      if (data.fields[i].name == name) return batch.values[i];
    throw Error(ExitCode::ModelOrData, "E0901",
                fmt::format("the data `{}` has no field `{}`", data.name, name));
  }

  std::vector<Tensor> run(const GraphCase& given, Executor& executor) const {
    std::vector<Tensor> inputs, outputs;
    for (const Tensor& input : given.inputs) inputs.push_back(input.clone());
    for (const ProgramOutput& output : executor.program().outputs)
      outputs.emplace_back(output.type);
    executor.run(inputs, outputs);
    for (size_t i = 0; i < outputs.size(); ++i)
      if (const int32_t updated = executor.program().outputs[i].updates_input; updated >= 0)
        outputs[i] = inputs[static_cast<size_t>(updated)];
    return outputs;
  }

  void take_step(const GraphCase& given, Executor& executor) {
    const std::vector<Tensor> outputs = run(given, executor);
    for (size_t i = 0; i < outputs.size(); ++i)
      if (const Output& output = given.graph.outputs()[i]; state_.contains(output.name))
        state_[output.name] = outputs[i];
  }

  bool check_step(int64_t step, const GraphCase& given, Executor& executor) {
    const std::vector<Tensor> compiled = run(given, executor);
    const Graph plain = run_until(given.graph, Stage::Grad);
    const auto difference =
        compare_outputs(plain, given.inputs, compiled, interpret(plain, given.inputs));
    if (!difference) return true;
    const std::string title = fmt::format("step {}", step + 1);
    const GraphReport report = verification_.checks().check_code(given.graph, given.inputs);
    if (!report.findings.empty()) {
      verification_.check_code(title, given);
    } else {
      const Output& output = given.graph.outputs()[difference->output];
      verification_.fail_as_a_whole(
          title, {fmt::format("output {} {}", name(output.kind), output.name), difference->what},
          given);
    }
    return false;
  }

  Workspace& workspace_;
  Verification& verification_;
  int64_t rows_;
  uint64_t seed_;
  int64_t batch_ = 0;
  std::map<std::string, Tensor> state_;
};

/// Undoes the planted faults however the command ends.
class PlantedFaults {
 public:
  explicit PlantedFaults(const VerifyOptions& options) {
    const auto kind_of = [](const std::string& op) -> std::optional<OpKind> {
      if (op.empty()) return std::nullopt;
      const std::optional<OpKind> kind = parse_op_kind(op);
      if (!kind) throw Error(ExitCode::Usage, "", fmt::format("no op `{}`", op));
      return kind;
    };
    const std::span<const Pass> passes = all_passes();
    if (!options.corrupted_pass.empty() &&
        std::none_of(passes.begin(), passes.end(),
                     [&](const Pass& pass) { return pass.name == options.corrupted_pass; }))
      throw Error(ExitCode::Usage, "", fmt::format("no pass `{}`", options.corrupted_pass));
    corrupt_derivative_for_test(kind_of(options.corrupted_derivative));
    corrupt_kernels_for_test(kind_of(options.corrupted_kernel));
    corrupt_pass_for_test(options.corrupted_pass);
  }
  ~PlantedFaults() {
    corrupt_derivative_for_test(std::nullopt);
    corrupt_kernels_for_test(std::nullopt);
    corrupt_pass_for_test("");
  }
  PlantedFaults(const PlantedFaults&) = delete;
  PlantedFaults& operator=(const PlantedFaults&) = delete;
};

/// What is asked for; of more than the data has, or a graph file is for, nothing can be made.
int64_t rows_to_check(Workspace& workspace, std::optional<int64_t> wanted) {
  if (wanted) return *wanted;
  const int64_t batch = workspace.settings().integer("batch");
  const int64_t available = workspace.data().train.rows();
  return std::min(workspace.is_graph_file() ? batch : std::min(batch, kRows), available);
}

void verify_model(Workspace& workspace, const VerifyOptions& options, Findings& findings) {
  Verification verification(workspace, options, findings);
  const int64_t rows = rows_to_check(workspace, options.rows);
  const GraphMode of_rows[] = {GraphMode::Train, GraphMode::Evaluate, GraphMode::Predict};
  if (std::ranges::none_of(of_rows, [&](GraphMode mode) { return workspace.holds(mode, rows); }))
    workspace.source_graph(GraphMode::Train, rows);  // throws what it holds
  ModelVerification model(workspace, rows, verification);
  for (GraphMode mode :
       {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate, GraphMode::Predict})
    model.check_graph(mode);
  model.check_gradients_of_loss();
  if (findings.failures() == 0) model.check_steps(options.steps, findings);
}

/// A graph file on tensors of a file: what a reproducer is.
void verify_feed(Workspace& workspace, const VerifyOptions& options, Findings& findings) {
  Verification verification(workspace, options, findings);
  for (const Graph& graph : workspace.graphs()) {
    const GraphCase given{graph, feed_from(options.feed, graph)};
    const std::string title = fmt::format("{} graph", name(graph.mode));
    verification.check_code(title, given);
    const bool has_gradients =
        std::any_of(graph.nodes().begin(), graph.nodes().end(),
                    [](const Node& node) { return node.kind == OpKind::Gradient; });
    if (has_gradients) verification.check_gradients("gradients", given);
  }
}

ExitCode run_verify(const VerifyOptions& options) {
  set_threads(options.model.threads);
  const PlantedFaults planted(options);
  Workspace workspace(options.model);
  Findings findings(options.model.json);
  if (options.feed.empty())
    verify_model(workspace, options, findings);
  else
    verify_feed(workspace, options, findings);
  if (const std::string faults = faults_of(options); !faults.empty() && findings.failures() == 0)
    throw Error(ExitCode::Usage, "",
                fmt::format("nothing that was checked shows the planted fault:{}", faults));
  if (options.model.json)
    print_line({{"event", "end"}, {"failures", findings.failures()}});
  else
    fmt::print(
        "{}: {}\n", workspace.name(),
        findings.failures() == 0 ? "verified" : fmt::format("{} failures", findings.failures()));
  return findings.failures() == 0 ? ExitCode::Done : ExitCode::Requirement;
}

}  // namespace

Action configure_verify(Flags& flags) {
  auto options = std::make_shared<VerifyOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  flags.add("--rows", &options->rows, "Rows of the batch that is checked")
      .in_range(1, int64_t{1} << 20);
  flags.add("--steps", &options->steps, "Training steps to compare; the first is taken apart")
      .in_range(1, int64_t{1} << 30);
  flags.add("--feed", &options->feed, "Tensors for the inputs of a graph file, by name").as_path();
  flags.add("--reproducer", &options->reproducer,
            "Folder for the least graph that shows a difference, with its inputs");
  flags.add("--corrupt-derivative", &options->corrupted_derivative,
            "Plant a wrong derivative of this op, to see what verify says");
  flags.add("--corrupt-pass", &options->corrupted_pass, "Plant a fault in this pass");
  flags.add("--corrupt-kernel", &options->corrupted_kernel,
            "Plant a fault in what is compiled for this op");
  return [options] { return run_verify(*options); };
}

}  // namespace gradc
