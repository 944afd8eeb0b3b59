// gradc verify: every pass against the one before, every compiled group against the interpreter,
// every gradient against finite differences.
#include <fmt/format.h>

#include "ir/interpret.h"
#include "ir/op.h"
#include "passes/gradcheck.h"
#include "runtime/commands/json_values.h"
#include "runtime/data/batches.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/verify_groups.h"
#include "tools/verify_passes.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct VerifyOptions {
  ModelOptions model;
  std::string corrupted;  // an op, for trying verify out
  int64_t rows = 8;
};

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
  int failures() const { return failures_; }

 private:
  bool json_;
  int failures_ = 0;
};

/// The state that the interpreter gets from the init graph, by name.
std::map<std::string, Tensor> initial_state(Workspace& workspace, uint64_t seed) {
  const Graph graph = workspace.graph(GraphMode::Init, 0, Stage::Optimized);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    inputs.push_back(Tensor::scalar(DType::I64, static_cast<double>(seed)));
  const std::vector<Tensor> values = interpret(graph, inputs);
  std::map<std::string, Tensor> state;
  for (size_t i = 0; i < values.size(); ++i) state[graph.outputs()[i].name] = values[i];
  return state;
}

class Verification {
 public:
  Verification(Workspace& workspace, int64_t rows, Findings& findings)
      : workspace_(workspace),
        findings_(findings),
        seed_(workspace.train_settings().seed),
        batch_(Batches(workspace.data().train, {.size = rows, .shuffle = false}).read(0)),
        state_(initial_state(workspace, seed_)) {}

  void check_graph(GraphMode mode) {
    const int64_t rows = mode == GraphMode::Init ? 0 : batch_.rows;
    if (!workspace_.holds(mode, rows)) return;
    if (mode == GraphMode::Train && !workspace_.has_optimizer()) return;
    if (mode == GraphMode::Predict && !workspace_.has_outputs(rows)) return;
    const Graph source = workspace_.source_graph(mode, rows);
    if (source.outputs().empty()) return;
    const std::vector<Tensor> inputs = inputs_of(source);
    const std::string title = fmt::format("{} graph, {} rows", name(mode), rows);
    int64_t passes = 0;
    for (const Disagreement& found :
         verify_passes(source, inputs, workspace_.pipeline_options(), passes))
      findings_.fail(title + ", passes", found);
    int64_t tensors = 0;
    const Graph fused = run_until(source, Stage::Fused, workspace_.pipeline_options());
    const CompileGraph compile_fused = [&](const Graph& graph) {
      return std::make_shared<const Program>(compile(graph, workspace_.compile_options()));
    };
    for (const Disagreement& found : verify_groups(fused, inputs, compile_fused, tensors))
      findings_.fail(title + ", compiled code", found);
    findings_.note(fmt::format("{}: {} passes, {} compiled tensors", title, passes, tensors));
  }

  void check_gradients_of_loss() {
    if (!workspace_.holds(GraphMode::Train, batch_.rows) || !workspace_.has_optimizer()) return;
    const Graph source = workspace_.source_graph(GraphMode::Train, batch_.rows);
    const GradcheckReport report = check_gradients(source, inputs_of(source));
    if (report.gradients.empty()) {
      findings_.note("gradients: none in this graph (differentiated before it was dumped?)");
      return;
    }
    double worst = 0;
    for (const GradientCheck& gradient : report.gradients) {
      worst = std::max(worst, gradient.max_rel_error);
      if (gradient.agrees) continue;
      findings_.fail("gradients", {fmt::format("gradient with respect to {}", gradient.name),
                                   fmt::format("differs from finite differences by {:.3g} "
                                               "({:.3g} relative)",
                                               gradient.max_abs_error, gradient.max_rel_error)});
    }
    if (report.fault) {
      const Origin& origin = report.fault->origin;
      findings_.fail("gradients",
                     {fmt::format("derivative of `{}`", op_info(report.fault->kind).name),
                      fmt::format("its rule disagrees with finite differences ({}:{}:{})",
                                  origin.file, origin.line, origin.column)});
    }
    if (report.agrees())
      findings_.note(
          fmt::format("gradients: {} against finite differences, worst relative "
                      "error {:.2g}",
                      report.gradients.size(), worst));
  }

 private:
  std::vector<Tensor> inputs_of(const Graph& graph) const {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      const Input& input = graph.inputs()[i];
      const Type& type = graph.type(Graph::input_value(i));
      if (input.kind == InputKind::Data) {
        inputs.push_back(field(input.name));
      } else if (const auto found = state_.find(input.name); found != state_.end()) {
        inputs.push_back(found->second);
      } else {
        inputs.push_back(Tensor(type));
        if (input.kind == InputKind::Seed) inputs.back().set(0, static_cast<double>(seed_));
      }
    }
    return inputs;
  }

  Tensor field(const std::string& name) const {
    const Dataset& data = workspace_.data().train;
    for (size_t i = 0; i < data.fields.size(); ++i)
      if (data.fields[i].name == name) return batch_.values[i];
    throw Error(ExitCode::ModelOrData, "E0901",
                fmt::format("the data `{}` has no field `{}`", data.name, name));
  }

  Workspace& workspace_;
  Findings& findings_;
  uint64_t seed_;
  Batch batch_;
  std::map<std::string, Tensor> state_;
};

/// Undoes the planted fault however the command ends.
class PlantedFault {
 public:
  explicit PlantedFault(const std::string& op) {
    if (op.empty()) return;
    const std::optional<OpKind> kind = parse_op_kind(op);
    if (!kind) throw Error(ExitCode::Usage, "", fmt::format("no op `{}`", op));
    corrupt_derivative_for_test(kind);
  }
  ~PlantedFault() { corrupt_derivative_for_test(std::nullopt); }
  PlantedFault(const PlantedFault&) = delete;
  PlantedFault& operator=(const PlantedFault&) = delete;
};

int64_t rows_to_check(Workspace& workspace, int64_t wanted) {
  const int64_t batch = workspace.settings().integer("batch");
  const int64_t available = workspace.data().train.rows();
  return std::min(workspace.is_graph_file() ? batch : std::min(batch, wanted), available);
}

ExitCode run_verify(const VerifyOptions& options) {
  set_threads(options.model.threads);
  const PlantedFault planted(options.corrupted);
  Workspace workspace(options.model);
  Findings findings(options.model.json);
  Verification verification(workspace, rows_to_check(workspace, options.rows), findings);
  for (GraphMode mode :
       {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate, GraphMode::Predict})
    verification.check_graph(mode);
  verification.check_gradients_of_loss();
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
  flags.add("--corrupt-derivative", &options->corrupted,
            "Plant a wrong derivative of this op, to see what verify says");
  return [options] { return run_verify(*options); };
}

}  // namespace gradc
