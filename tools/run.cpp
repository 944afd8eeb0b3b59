// gradc run: one evaluation, or some training steps, of tensors in safetensors files.
#include <fmt/format.h>

#include "runtime/safetensors.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct RunOptions {
  ModelOptions model;
  std::string feed;
  std::string fetch;
  std::string weights;
  bool gradients = false;
  int64_t steps = 0;
};

/// The feed's tensors, dealt to data inputs and to state.
class Feed {
 public:
  Feed(const std::string& path, const std::vector<std::string>& data_names)
      : path_(path), content_(read_safetensors(path)) {
    for (const NamedTensor& tensor : content_.tensors) {
      const bool is_data =
          std::find(data_names.begin(), data_names.end(), tensor.name) != data_names.end();
      if (!is_data) {
        state_.push_back(tensor);
        continue;
      }
      if (tensor.value.shape().rank() == 0)
        throw Error(ExitCode::ModelOrData, "E0902",
                    fmt::format("{}: `{}` has no row axis", path, tensor.name));
      dataset_.fields.push_back({tensor.name, tensor.value});
    }
    dataset_.name = path;
    for (const std::string& name : data_names)
      if (dataset_.find(name) == nullptr)
        throw Error(ExitCode::ModelOrData, "E0901",
                    fmt::format("{} has no tensor `{}`, an input of the model", path, name));
    if (!dataset_.fields.empty()) check_rows(dataset_);
  }

  const Dataset& dataset() const { return dataset_; }
  int64_t rows() const { return dataset_.rows(); }

  /// Puts the parameters and other state of the feed into the session.
  void apply(Session& session) const {
    for (const NamedTensor& tensor : state_) {
      Tensor* target = session.find_state(tensor.name);
      if (target == nullptr)
        throw Error(
            ExitCode::ModelOrData, "E0901",
            fmt::format("{}: `{}` is neither an input, a parameter nor a state of the model", path_,
                        tensor.name));
      if (target->type() != tensor.value.type())
        throw Error(ExitCode::ModelOrData, "E0902",
                    fmt::format("{}: `{}` is {}, the model has {}", path_, tensor.name,
                                to_string(tensor.value.type()), to_string(target->type())));
      std::copy_n(tensor.value.raw(), tensor.value.size_bytes(), target->raw());
    }
  }

 private:
  std::string path_;
  NamedTensors content_;
  Dataset dataset_;
  std::vector<NamedTensor> state_;
};

/// Programs of the workspace, but the run graph as this command wants it.
class RunPrograms : public ProgramSource {
 public:
  RunPrograms(Workspace& workspace, bool gradients)
      : workspace_(workspace), gradients_(gradients) {}

  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override {
    if (mode != GraphMode::Run) return workspace_.program(mode, rows);
    return workspace_.compile_graph(
        workspace_.source_graph(mode, rows, {.training = false, .gradients = gradients_}));
  }

 private:
  Workspace& workspace_;
  bool gradients_;
};

NamedTensors evaluate_once(Session& session, const Feed& feed) {
  const std::span<const Tensor> outputs =
      session.execute(GraphMode::Run, feed.dataset().fields, feed.rows());
  const Program& program = session.program(GraphMode::Run, feed.rows());
  NamedTensors result;
  PassValues pass;
  pass.add(program, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ProgramOutput& output = program.outputs[i];
    if (output.kind == OutputKind::Gradient) result.add("grad/" + output.name, outputs[i]);
    if (output.kind == OutputKind::Output || output.kind == OutputKind::Loss)
      result.add(output.name, outputs[i]);
  }
  for (const auto& [name, value] : session.metrics(pass))
    if (result.find(name) == nullptr) result.add(name, Tensor::scalar(DType::F64, value));
  return result;
}

NamedTensors train_steps(Session& session, const Feed& feed, int64_t steps) {
  for (int64_t step = 0; step < steps; ++step)
    session.execute(GraphMode::Train, feed.dataset().fields, feed.rows());
  NamedTensors result;
  for (const NamedTensor& tensor : session.state()) result.add(tensor.name, tensor.value);
  return result;
}

ExitCode run_run(const RunOptions& options) {
  set_threads(options.model.threads);
  Workspace workspace(options.model);
  const Feed feed(options.feed, workspace.input_names());
  workspace.bind(describe({feed.dataset(), std::nullopt}));
  RunPrograms programs(workspace, options.gradients);
  Session session(programs, workspace.train_settings().seed);
  session.initialize();
  if (!options.weights.empty()) session.load(options.weights);
  feed.apply(session);
  write_safetensors(options.fetch, options.steps > 0 ? train_steps(session, feed, options.steps)
                                                     : evaluate_once(session, feed));
  return ExitCode::Done;
}

}  // namespace

Action configure_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  add_model_flags(app, options->model);
  add_execution_flags(app, options->model);
  app.add_option("--seed", options->model.seed, "Seed of all random numbers")
      ->check(CLI::Range(int64_t{0}, (int64_t{1} << 62)));
  app.add_option("--feed", options->feed, "Inputs, parameters and state by name")->required();
  app.add_option("--fetch", options->fetch, "Where to write the results")->required();
  app.add_option("--weights", options->weights, "Trained weights, for what the feed leaves out");
  app.add_flag("--gradients", options->gradients, "Add grad/NAME for each parameter");
  app.add_option("--steps", options->steps, "Perform N training steps; write the new state")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  return [options] { return run_run(*options); };
}

}  // namespace gradc
