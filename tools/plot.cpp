// gradc plot: the layers of a model, or the curves of a training run, as a picture.
#include <fmt/format.h>

#include "tools/commands.h"
#include "tools/curves.h"
#include "tools/diagram.h"
#include "tools/read_text.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

struct PlotOptions {
  ModelOptions model;
  std::string log;
  std::string out;
};

Color color_of(LayerNode::Kind kind) {
  switch (kind) {
    case LayerNode::Kind::Input:
      return 0xcfe8d5;
    case LayerNode::Kind::Parameter:
      return 0xeadff2;
    case LayerNode::Kind::Layer:
      return 0xcfe0f5;
    case LayerNode::Kind::Function:
      return 0xd5eff0;
    case LayerNode::Kind::Operator:
      return 0xeceff3;
    case LayerNode::Kind::Output:
      return 0xfbe0c4;
  }
  CHECK(false, "kind of node");
}

DiagramNode diagram_node(const LayerNode& layer) {
  DiagramNode node;
  node.color = color_of(layer.kind);
  node.operands = layer.operands;
  node.title = layer.path.empty() ? layer.what : fmt::format("{} ({})", layer.path, layer.what);
  const bool is_end = layer.inputs.empty();
  if (is_end) {
    node.lines = {layer.output};
    return node;
  }
  std::string inputs;
  for (const std::string& shape : layer.inputs) inputs += (inputs.empty() ? "" : ", ") + shape;
  node.lines = {"input:  " + inputs, "output: " + layer.output};
  return node;
}

std::vector<DiagramNode> layer_nodes(Workspace& workspace) {
  if (workspace.is_graph_file())
    throw Error(ExitCode::ModelOrData, "E0908",
                fmt::format("{} is a graph and knows no layers; `gradc dump --format svg` draws it",
                            workspace.options().model));
  const int64_t batch = workspace.settings().integer("batch");
  if (!workspace.options().data.empty()) workspace.description();
  std::vector<DiagramNode> nodes;
  for (const LayerNode& layer : workspace.layer_graph(batch)) nodes.push_back(diagram_node(layer));
  if (nodes.empty())
    throw Error(ExitCode::ModelOrData, "E0717",
                fmt::format("{} has neither an output nor a loss: there is nothing to draw",
                            workspace.options().model));
  return nodes;
}

ExitCode plot(const PlotOptions& options) {
  const bool is_curves = !options.log.empty();
  if (is_curves == !options.model.model.empty())
    throw Error(ExitCode::Usage, "", "plot wants a model or --log RUN.jsonl, one of them");
  const PictureFormat format = picture_format(options.out, !is_curves);
  if (is_curves) {
    write_picture(options.out, draw_curves(read_training_log(options.log, read_text(options.log))));
    return ExitCode::Done;
  }
  Workspace workspace(options.model);
  const std::vector<DiagramNode> nodes = layer_nodes(workspace);
  if (format == PictureFormat::Dot) {
    write_text_file(options.out, diagram_as_dot(workspace.name(), nodes));
  } else {
    write_picture(options.out, draw_diagram(nodes));
  }
  return ExitCode::Done;
}

}  // namespace

Action configure_plot(Flags& flags) {
  auto options = std::make_shared<PlotOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  flags.find("model").required(false);
  flags.add("--log", &options->log, "Draw the curves of this output of `train --json`").as_path();
  flags.add("-o,--out", &options->out, "The picture: a name that ends with .svg, .png or .dot")
      .as_path()
      .required();
  return [options] { return plot(*options); };
}

}  // namespace gradc
