// gradc build: the model as a program, an object or a library that needs no gradc.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>

#include "codegen/artefact.h"
#include "codegen/code_generator.h"
#include "codegen/link.h"
#include "ir/text.h"
#include "runtime/atomic_file.h"
#include "runtime/commands/interrupt.h"
#include "runtime/processor.h"
#include "runtime/weights_file.h"
#include "tools/commands.h"
#include "tools/version.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct BuildOptions {
  ModelOptions model;
  std::string out;
  std::string emit = "exe";
  std::string header;
  std::string name;
  std::string entry = "all";
  std::string weights;
  std::string target = "native";
  std::string rows;  // beside those of the train block; with commas
  bool is_static = false;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// The most demanding first: the first that the processor can run is taken.
std::vector<std::string> targets_of(const std::string& text) {
  std::vector<std::string> targets = split(text);
  std::sort(targets.rbegin(), targets.rend());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  if (targets.empty()) throw Error(ExitCode::Usage, "", "--target names no target");
  if (targets.size() > 1 && std::find(targets.begin(), targets.end(), "native") != targets.end())
    throw Error(ExitCode::Usage, "", "--target native stands alone: name its level instead");
  return targets;
}

/// Would another length of the run, in rows or in steps, make another training step?
bool reads_run_length(const ModelOptions& options, Workspace& workspace, int64_t rows) {
  if (workspace.is_graph_file() || !workspace.has_optimizer()) return false;
  ModelOptions longer = options;
  std::erase_if(longer.sets, [](const std::string& set) {
    return set.starts_with("steps=") || set.starts_with("epochs=");
  });
  longer.epochs.reset();
  longer.sets.push_back("steps=1000003");
  Workspace other(longer);
  if (!workspace.settings().text("data").empty()) {
    DataDescription description = workspace.description();
    description.train_rows += workspace.settings().integer("batch");
    other.bind(description);
  }
  return print(workspace.source_graph(GraphMode::Train, rows)) !=
         print(other.source_graph(GraphMode::Train, rows));
}

std::set<int64_t> further_rows(const std::string& text) {
  constexpr int64_t kMost = int64_t{1} << 30;
  std::set<int64_t> rows;
  for (const std::string& part : split(text)) {
    int64_t count = 0;
    const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), count);
    if (fault != std::errc() || end != part.data() + part.size() || count < 1 || count > kMost)
      throw Error(
          ExitCode::Usage, "",
          fmt::format("--rows wants numbers with commas between, as in 32,64; got `{}`", text));
    rows.insert(count);
  }
  return rows;
}

/// Every row count that a program of the mode is needed for.
std::vector<int64_t> rows_for(GraphMode mode, const BuildOptions& options, Workspace& workspace) {
  const TrainSettings train = workspace.train_settings();
  const bool has_data = !workspace.settings().text("data").empty();
  std::set<int64_t> rows = further_rows(options.rows);
  const auto add = [&](const std::vector<int64_t>& counts) {
    rows.insert(counts.begin(), counts.end());
  };
  if (mode == GraphMode::Train) {
    const int64_t data_rows = has_data ? workspace.description().train_rows : train.batch;
    add(row_counts(data_rows, train.batch, train.drop_last));
  } else {
    const int64_t data_rows = has_data ? workspace.test_row_count() : train.eval_batch;
    add(row_counts(data_rows, train.eval_batch, false));
    rows.insert({int64_t{1}, train.eval_batch});
  }
  if (mode == GraphMode::Predict) rows.insert(train.batch);
  std::erase_if(rows, [&](int64_t count) { return !workspace.holds(mode, count); });
  return {rows.begin(), rows.end()};
}

std::vector<ArtefactGraph> graphs_of(const BuildOptions& options, Workspace& workspace) {
  std::vector<ArtefactGraph> graphs;
  const auto add = [&](GraphMode mode, int64_t rows) {
    Graph graph = workspace.graph(mode, rows, Stage::Fused);
    if (options.model.memory_limit == 0) {
      graphs.push_back({std::move(graph)});
    } else {
      auto [fitted, is_serial] = workspace.limited_graph(std::move(graph));
      graphs.push_back({std::move(fitted), is_serial});
    }
  };
  add(GraphMode::Init, 0);
  if (options.entry == "all") {
    if (workspace.has_optimizer())
      for (const int64_t rows : rows_for(GraphMode::Train, options, workspace))
        add(GraphMode::Train, rows);
    for (const int64_t rows : rows_for(GraphMode::Evaluate, options, workspace))
      add(GraphMode::Evaluate, rows);
    add(GraphMode::Metrics, 0);
  }
  for (const int64_t rows : rows_for(GraphMode::Predict, options, workspace))
    if (workspace.has_outputs(rows)) add(GraphMode::Predict, rows);
  return graphs;
}

/// In the place of the program that makes initial values: the state that prediction reads.
Program state_for_prediction(const Graph& init, std::span<const ArtefactGraph> graphs) {
  std::set<std::string> read;
  for (const ArtefactGraph& graph : graphs)
    if (graph.fused.mode == GraphMode::Predict)
      for (const Input& input : graph.fused.inputs()) read.insert(input.name);
  Program program;
  program.name = init.name;
  program.mode = GraphMode::Init;
  for (const Output& output : init.outputs())
    if (read.contains(output.name))
      program.outputs.push_back({output.kind, output.name, init.type(output.value), -1});
  return program;
}

/// Values of the file; throws as loading them would.
std::vector<std::pair<std::string, Tensor>> weights_of(const BuildOptions& options,
                                                       Workspace& workspace) {
  std::vector<std::pair<std::string, Tensor>> weights;
  if (options.weights.empty()) return weights;
  Session session(workspace, 0);
  const NamedTensors content = read_weights(options.weights, session.state());
  session.load(content, options.weights);
  for (const NamedTensor& tensor : content.tensors)
    if (!tensor.name.starts_with(kSumsPrefix)) weights.emplace_back(tensor.name, tensor.value);
  return weights;
}

ModelFacts facts_of(const BuildOptions& options, Workspace& workspace) {
  ModelFacts facts;
  facts.name = workspace.name();
  facts.compiler = version_number();
  facts.settings = workspace.settings().entries();
  facts.entry = options.entry == "all" ? Entry::All : Entry::Predict;
  facts.fields_read = workspace.fields_read();
  facts.declared = workspace.declared_fields();
  facts.layers = workspace.summary_rows();
  if (!workspace.settings().text("data").empty())
    facts.train_rows = workspace.description().train_rows;
  return facts;
}

Artefact compile_artefact(const BuildOptions& options) {
  Workspace workspace(options.model);
  std::vector<ArtefactGraph> graphs = graphs_of(options, workspace);
  ModelFacts facts = facts_of(options, workspace);
  facts.weights = weights_of(options, workspace);
  if (facts.entry == Entry::All) {
    facts.step_hash = workspace.step_hash(workspace.settings().integer("batch"));
    facts.reads_run_length =
        reads_run_length(options.model, workspace, workspace.settings().integer("batch"));
  } else {
    const Program state = state_for_prediction(graphs.front().fused, graphs);
    graphs.erase(graphs.begin());
    std::erase_if(facts.weights, [&](const auto& weight) {
      return std::none_of(state.outputs.begin(), state.outputs.end(),
                          [&](const auto& output) { return output.name == weight.first; });
    });
    facts.programs.push_back(state);
  }
  const std::string name = options.name.empty() ? workspace.name() : options.name;
  Artefact artefact =
      make_artefact(c_identifier(name), graphs, std::move(facts), workspace.compile_options());
  artefact.code.targets = targets_of(options.target);
  artefact.code.has_main = options.emit == "exe";
  return artefact;
}

void write_text(const std::string& path, const std::string& text) {
  write_file(path, std::as_bytes(std::span(text)), AtomicFile::Durability::ProcessEnd);
}

std::string header_path(const BuildOptions& options) {
  if (!options.header.empty()) return options.header;
  return std::filesystem::path(options.out).replace_extension(".h").string();
}

/// False where a signal ended it: what is linked lies in a folder that has to go first.
bool link_unless_stopped(const LinkRequest& request) {
  const std::atomic<bool>& stop = stop_on_signal();
  try {
    link(request);
  } catch (const Error&) {
    if (!stop) throw;
    return false;
  }
  return true;
}

ExitCode build(const BuildOptions& options) {
  const bool has_header = options.emit == "obj" || options.emit == "shared";
  if (options.is_static && (options.emit != "exe" || options.model.backend != "llvm"))
    throw Error(ExitCode::Usage, "",
                "--static wants --emit exe and --backend llvm: Debian has no static oneDNN");
  check_writable(options.out);
  if (has_header) check_writable(header_path(options));
  const Artefact artefact = compile_artefact(options);
  if (options.emit == "llvm" || options.emit == "asm") {
    write_text(options.out, code_generator().artefact_text(artefact.code, options.emit == "asm"));
    return ExitCode::Done;
  }
  LinkRequest request;
  request.objects = code_generator().artefact_objects(artefact.code, options.emit == "obj" ? 1 : 2);
  request.kind = options.emit == "exe"   ? ArtefactKind::Executable
                 : options.emit == "obj" ? ArtefactKind::Object
                                         : ArtefactKind::Shared;
  request.is_static = options.is_static;
  request.calls_library = artefact.code.calls_library;
  request.output = options.out;
  if (!link_unless_stopped(request)) return interrupted_exit_code();
  if (has_header) write_text(header_path(options), c_header(artefact));
  return ExitCode::Done;
}

}  // namespace

Action configure_build(Flags& flags) {
  auto options = std::make_shared<BuildOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  flags.add("-o,--out", &options->out, "The file to write").required();
  flags
      .add("--emit", &options->emit,
           "exe, a program; obj or shared, with a C header beside it; llvm or asm to read")
      .one_of({"exe", "obj", "shared", "llvm", "asm"});
  flags.add("--header", &options->header, "Where the C header goes; else OUT with .h").as_path();
  flags.add("--name", &options->name, "Name of the exported model; else the model's own");
  flags.add("--entry", &options->entry, "all, or predict to leave training out")
      .one_of({"all", "predict"});
  flags.add("--weights", &options->weights, "Trained weights to build in").as_path();
  flags.add("--rows", &options->rows, "Further row counts of batches, as in 32,64");
  flags.add("--target", &options->target,
            "native, or x86-64-v2, x86-64-v3, x86-64-v4; with commas: all, chosen at start");
  flags.add("--static", &options->is_static, "A program without any shared library");
  return [options] { return build(*options); };
}

}  // namespace gradc
