// gradc run: one evaluation, or some training steps; of tensors in files of weights, or printed.
#include <fmt/format.h>

#include "runtime/commands/json_values.h"
#include "runtime/commands/start_session.h"
#include "runtime/data/batches.h"
#include "runtime/threads.h"
#include "runtime/weights_file.h"
#include "tools/commands.h"
#include "tools/tensor_text.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct FeedOptions {
  ModelOptions model;
  std::string feed;
  std::string fetch;
  std::string weights;
  bool gradients = false;
  int64_t steps = 0;
};

/// The tensors that are fed, dealt to data inputs and to state.
class Feed {
 public:
  /// No file: the first rows of the model's data, or nothing for a model without inputs.
  explicit Feed(Workspace& workspace) : rows_(workspace.settings().integer("batch")) {
    if (workspace.input_names().empty()) return;
    const Dataset& data = workspace.data().train;
    rows_ = std::min(rows_, data.rows());
    const Batches batches(data, {.size = rows_, .shuffle = false});
    const Batch batch = batches.read(0);
    for (size_t i = 0; i < batch.values.size(); ++i)
      dataset_.fields.push_back({data.fields[i].name, batch.values[i]});
  }

  Feed(const std::string& path, const std::vector<std::string>& data_names)
      : path_(path), content_(read_weights(path)) {
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
    if (dataset_.fields.empty()) return;
    check_rows(dataset_);
    rows_ = dataset_.rows();
  }

  const Dataset& dataset() const { return dataset_; }
  int64_t rows() const { return rows_; }

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
    }
    // Slots last: an average of the feed replaces what followed its parameter.
    for (const bool is_slot : {false, true})
      for (const NamedTensor& tensor : state_)
        if (is_slot_name(tensor.name) == is_slot) session.set_state(tensor.name, tensor.value);
  }

 private:
  std::string path_;
  NamedTensors content_;
  Dataset dataset_;
  int64_t rows_ = 0;
  std::vector<NamedTensor> state_;
};

/// Programs of the workspace, but the run graph as this command wants it.
class RunPrograms : public ProgramSource {
 public:
  RunPrograms(Workspace& workspace, const GraphRequest& request)
      : workspace_(workspace), request_(request) {}

  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override {
    if (mode != GraphMode::Run) return workspace_.program(mode, rows);
    return workspace_.compile_graph(workspace_.source_graph(mode, rows, request_));
  }

 private:
  Workspace& workspace_;
  GraphRequest request_;
};

NamedTensors evaluate_once(Session& session, const Feed& feed) {
  const std::span<const Tensor> outputs =
      session.execute(GraphMode::Run, feed.dataset().fields, feed.rows());
  const Program& program = session.program(GraphMode::Run, feed.rows());
  NamedTensors result;
  PassValues pass;
  pass.add(program, outputs);
  const auto add = [&](OutputKind kind, const std::string& prefix) {
    for (size_t i = 0; i < outputs.size(); ++i)
      if (program.outputs[i].kind == kind) result.add(prefix + program.outputs[i].name, outputs[i]);
  };
  add(OutputKind::Output, "");
  add(OutputKind::Loss, "");
  NamedTensors tables;
  for (const auto& [name, value] : session.metrics(pass, &tables))
    if (result.find(name) == nullptr) result.add(name, Tensor::scalar(DType::F64, value));
  for (const NamedTensor& table : tables.tensors)
    if (result.find(table.name) == nullptr) result.add(table.name, table.value);
  add(OutputKind::Gradient, "grad/");
  return result;
}

void train_steps(Session& session, const Feed& feed, int64_t steps) {
  for (int64_t step = 0; step < steps; ++step)
    session.execute(GraphMode::Train, feed.dataset().fields, feed.rows());
}

NamedTensors state_of(const Session& session) {
  NamedTensors result;
  for (const NamedTensor& tensor : session.state()) result.add(tensor.name, tensor.value);
  return result;
}

void print_tensor(const NamedTensor& tensor, bool as_json) {
  const std::string type = to_string(tensor.value.type());
  if (as_json)
    return print_line(
        {{"name", tensor.name}, {"type", type}, {"value", tensor_as_json(tensor.value)}});
  const bool has_rows = tensor.value.shape().rank() > 1;
  fmt::print("{}: {} ={}{}\n", tensor.name, type, has_rows ? "\n" : " ", tensor_text(tensor.value));
}

/// State first, then what is computed, in the order of the text; losses and metrics behind.
void print_values(const Session& session, const NamedTensors& values, bool as_json) {
  for (const NamedTensor& tensor : session.state())
    if (tensor.name != kStepName) print_tensor(tensor, as_json);
  for (const NamedTensor& tensor : values.tensors) print_tensor(tensor, as_json);
}

ExitCode run_run(FeedOptions options) {
  set_threads(options.model.threads);
  options.model.shows_names = options.fetch.empty();
  Workspace workspace(options.model);
  const Feed feed =
      options.feed.empty() ? Feed(workspace) : Feed(options.feed, workspace.input_names());
  if (!options.feed.empty()) workspace.bind(describe({feed.dataset(), std::nullopt}));
  RunPrograms programs(
      workspace,
      {.training = false, .gradients = options.gradients, .names = options.fetch.empty()});
  Session session(programs, workspace.train_settings().seed);
  start_session(session, workspace, options.weights);
  feed.apply(session);
  train_steps(session, feed, options.steps);
  if (options.fetch.empty()) {
    print_values(session, evaluate_once(session, feed), options.model.json);
  } else {
    write_weights(options.fetch,
                  options.steps > 0 ? state_of(session) : evaluate_once(session, feed));
  }
  return ExitCode::Done;
}

}  // namespace

Action configure_run(Flags& flags) {
  auto options = std::make_shared<FeedOptions>();
  add_model_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  add_data_flags(flags, options->model);
  flags.add("--feed", &options->feed, "Inputs, parameters and state by name").as_path();
  flags.add("--fetch", &options->fetch, "Where to write the results; without: print them");
  flags.add("--weights", &options->weights, "Trained weights, for what the feed leaves out")
      .as_path();
  flags.add("--gradients", &options->gradients, "Add grad/NAME for each parameter");
  flags.add("--steps", &options->steps, "Perform N training steps; write the new state")
      .in_range(1, int64_t{1} << 40);
  return [options] { return run_run(*options); };
}

}  // namespace gradc
