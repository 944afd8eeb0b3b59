// gradc dump: the graphs of a model after a stage of the compiler, as text that parses back.
#include <fmt/format.h>

#include <set>

#include "codegen/code_generator.h"
#include "ir/text.h"
#include "runtime/commands/json_values.h"
#include "tools/commands.h"
#include "tools/graph_diagram.h"
#include "tools/graph_dot.h"
#include "tools/group_savings.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct DumpOptions {
  ModelOptions model;
  std::string stage = "optimized";
  std::string format = "text";
  std::string after;  // a pass
  std::string mode;
  std::optional<int64_t> rows;
};

const std::set<std::string> kGraphStages = {"model", "grad", "optimized", "fused"};
const std::set<std::string> kProgramStages = {"plan", "loops", "llvm", "asm"};

bool is_wanted(const DumpOptions& options, const Graph& graph) {
  return (options.mode.empty() || options.mode == name(graph.mode)) &&
         (!options.rows || *options.rows == graph.rows);
}

Module select(const DumpOptions& options, Module module) {
  std::erase_if(module.graphs, [&](const Graph& graph) { return !is_wanted(options, graph); });
  if (module.graphs.empty())
    throw Error(ExitCode::Usage, "",
                fmt::format("no graph of mode `{}` and {} rows here", options.mode,
                            options.rows ? std::to_string(*options.rows) : "any number of"));
  return module;
}

/// Each graph as it stands right behind the pass (its first run).
Module after_pass(const DumpOptions& options, const Module& source, PipelineOptions pipeline) {
  bool is_known = false;
  std::string known;
  for (const Pass& pass : all_passes()) {
    is_known |= pass.name == options.after;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", pass.name);
  }
  if (!is_known)
    throw Error(ExitCode::Usage, "",
                fmt::format("no pass `{}`; the passes are {}", options.after, known));
  Module result{source.name, source.settings, {}};
  for (const Graph& graph : source.graphs) {
    std::optional<Graph> found;
    pipeline.after = [&](const Pass& pass, const Graph& behind) {
      if (!found && pass.name == options.after) found = behind;
    };
    run_until(graph, Stage::Fused, pipeline);
    if (found) result.graphs.push_back(*std::move(found));
  }
  if (result.graphs.empty())
    throw Error(
        ExitCode::Usage, "",
        fmt::format("the pass `{}` does not run on these graphs with these flags", options.after));
  return result;
}

void print_program(const DumpOptions& options, const Workspace& workspace, const Graph& graph) {
  std::string table;
  const Graph fused = workspace.fit_limit(graph, table);
  const LoweredProgram lowered = lower(fused, workspace.compile_options());
  fmt::print("# {} rows={}\n", name(fused.mode), fused.rows);
  if (options.stage == "plan") {
    fmt::print("{}{}", table, lowered.report);
  } else if (options.stage == "loops") {
    for (const loop::Kernel& kernel : lowered.kernels) fmt::print("{}\n", loop::print(kernel));
  } else if (options.stage == "llvm") {
    fmt::print("{}", code_generator().llvm_text(lowered.kernels));
  } else {
    fmt::print("{}", code_generator().assembly_text(lowered.kernels));
  }
}

/// A picture shows one graph.
void print_picture(const Module& module) {
  if (module.graphs.size() != 1)
    throw Error(
        ExitCode::Usage, "",
        fmt::format("an SVG shows one graph of the {} here; choose it with --mode and --rows",
                    module.graphs.size()));
  fmt::print("{}", as_svg(draw_diagram(graph_nodes(module.graphs.front()))));
}

void print_graphs(const DumpOptions& options, const Module& module) {
  if (options.format == "dot") {
    for (const Graph& graph : module.graphs) fmt::print("{}", graph_as_dot(graph));
  } else if (options.format == "svg") {
    print_picture(module);
  } else if (options.format == "json") {
    for (const Graph& graph : module.graphs) print_line(graph_as_json(graph));
  } else {
    fmt::print("{}", print(module));
  }
}

/// What `format` stands for where only --json is given, and that the stage has it.
void settle_format(DumpOptions& options) {
  if (options.model.json && options.format == "text") options.format = "json";
  if (kProgramStages.contains(options.stage) && options.format != "text")
    throw Error(ExitCode::Usage, "",
                fmt::format("the stage `{}` is text only, not {}", options.stage, options.format));
}

ExitCode dump(DumpOptions options) {
  settle_format(options);
  Workspace workspace(options.model);
  if (kProgramStages.contains(options.stage)) {
    const Module module = select(options, workspace.module(Stage::Fused));
    for (const Graph& graph : module.graphs) print_program(options, workspace, graph);
  } else if (!options.after.empty()) {
    print_graphs(options, after_pass(options, select(options, workspace.module(Stage::Model)),
                                     workspace.pipeline_options()));
  } else {
    const Module module = select(options, workspace.module(*parse_stage(options.stage)));
    print_graphs(options, module);
    if (options.stage == "fused" && options.format == "text")
      for (const Graph& graph : module.graphs) fmt::print("{}", describe_savings(graph));
  }
  return ExitCode::Done;
}

}  // namespace

Action configure_dump(Flags& flags) {
  auto options = std::make_shared<DumpOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  add_execution_flags(flags, options->model);
  std::vector<std::string> stages(kGraphStages.begin(), kGraphStages.end());
  stages.insert(stages.end(), kProgramStages.begin(), kProgramStages.end());
  const Flag stage =
      flags
          .add("--stage", &options->stage,
               "model, grad, optimized, fused (these parse back), plan, loops, llvm or asm")
          .one_of(stages);
  flags
      .add("--format", &options->format, "text, json (an object a graph), svg, or dot for Graphviz")
      .one_of({"text", "json", "svg", "dot"});
  flags.add("--after", &options->after, "The graphs right behind this pass").excludes(stage);
  flags.add("--mode", &options->mode,
            "Only graphs of this mode: init, train, evaluate, predict or metrics");
  flags.add("--rows", &options->rows, "Only graphs for this number of rows");
  return [options] { return dump(*options); };
}

}  // namespace gradc
