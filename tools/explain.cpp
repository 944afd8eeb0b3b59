// gradc explain: the derivatives of a small model by its parameters, step by step.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "runtime/commands/json_values.h"
#include "runtime/commands/start_session.h"
#include "runtime/data/batches.h"
#include "runtime/threads.h"
#include "tools/chain_rule.h"
#include "tools/commands.h"
#include "tools/read_text.h"
#include "tools/workspace.h"

namespace gradc {
namespace {

constexpr size_t kMaxPaths = 12;

struct ExplainOptions {
  ModelOptions model;
  std::string weights;
};

std::string text(double value) { return fmt::format("{:.6g}", value == 0 ? 0.0 : value); }
/// In a product.
std::string factor(double value) {
  return value < 0 ? fmt::format("({})", text(value)) : text(value);
}

/// The values of the graph's inputs: state, and the first row of the data.
std::vector<Tensor> input_values(const Graph& graph, Workspace& workspace, Session& session) {
  std::vector<Tensor> values;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    if (input.kind == InputKind::Data) {
      const Dataset& data = workspace.data().train;
      const Batch batch = Batches(data, {.size = 1, .shuffle = false}).read(0);
      for (size_t field = 0; field < data.fields.size(); ++field)
        if (data.fields[field].name == input.name) values.push_back(batch.values[field]);
    } else {
      values.push_back(session.input(input.kind, input.name));
    }
  }
  return values;
}

/// The right side of `NAME = …` in the model's text; empty where the line holds no such binding.
class SourceLines {
 public:
  explicit SourceLines(const std::string& path) : path_(path) {
    if (path == "-") return;
    std::istringstream stream(read_text(path));
    for (std::string line; std::getline(stream, line);) lines_.push_back(line);
  }

  std::string right_side(const ChainNode& node) const {
    if (!node.origin || node.origin->file != path_ || node.origin->line < 1 ||
        static_cast<size_t>(node.origin->line) > lines_.size())
      return "";
    std::string line = lines_[static_cast<size_t>(node.origin->line) - 1];
    line = line.substr(0, line.find('#'));
    line = line.substr(0, line.find(';'));
    const size_t equals = line.find(" = ");
    if (equals == std::string::npos) return "";
    std::istringstream words(line.substr(0, equals));
    std::string last;
    for (std::string word; words >> word;) last = word;
    if (last != node.name) return "";
    std::string right = line.substr(equals + 3);
    right.erase(right.find_last_not_of(" \t\r") + 1);
    return right;
  }

 private:
  std::string path_;
  std::vector<std::string> lines_;
};

void print_values(const ChainRule& rule, const SourceLines& source) {
  size_t width = 0;
  std::vector<std::string> formulas;
  for (const ChainNode& node : rule.nodes) {
    const std::string right = source.right_side(node);
    formulas.push_back(right.empty() ? node.name : fmt::format("{} = {}", node.name, right));
    width = std::max(width, formulas.back().size());
  }
  fmt::print("values\n");
  for (size_t i = 0; i < rule.nodes.size(); ++i)
    fmt::print("  {:{}}  = {}{}\n", formulas[i], width, text(rule.nodes[i].value),
               rule.nodes[i].is_parameter ? "   (parameter)" : "");
}

std::string edge_name(const ChainRule& rule, size_t node, size_t operand) {
  return fmt::format("d {}/d {}", rule.nodes[node].name, rule.nodes[operand].name);
}

void print_edges(const ChainRule& rule) {
  size_t width = 0;
  for (const ChainEdge& edge : rule.edges)
    width = std::max(width, edge_name(rule, edge.node, edge.operand).size());
  fmt::print("\nedges: how fast each value changes with what it is computed from\n");
  for (const ChainEdge& edge : rule.edges)
    fmt::print("  {:{}}  = {:10}  finite difference {}\n", edge_name(rule, edge.node, edge.operand),
               width, text(edge.derivative), text(edge.difference));
}

double derivative_of(const ChainRule& rule, size_t node, size_t operand) {
  for (const ChainEdge& edge : rule.edges)
    if (edge.node == node && edge.operand == operand) return edge.derivative;
  CHECK(false, "no edge");
}

/// "d loss/d x2 * d x2/d b = 1 * 1 = 1".
std::string path_text(const ChainRule& rule, const std::vector<size_t>& path) {
  std::string names, numbers;
  double product = 1;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const double derivative = derivative_of(rule, path[i], path[i + 1]);
    names += (i == 0 ? "" : " * ") + edge_name(rule, path[i], path[i + 1]);
    numbers += (i == 0 ? "" : " * ") + factor(derivative);
    product *= derivative;
  }
  return path.size() > 2 ? fmt::format("{} = {} = {}", names, numbers, text(product))
                         : fmt::format("{} = {}", names, text(product));
}

void print_parameter(const ChainRule& rule, size_t node) {
  const size_t loss = rule.nodes.size() - 1;
  const std::vector<std::vector<size_t>> paths = chain_paths(rule, node, kMaxPaths + 1);
  fmt::print("\n{} = {}   finite difference {}\n", edge_name(rule, loss, node),
             text(rule.nodes[node].derivative), text(rule.nodes[node].difference));
  if (paths.size() > kMaxPaths) return fmt::print("  the sum of more than {} ways\n", kMaxPaths);
  if (paths.size() > 1) fmt::print("  {} ways lead there; their products add up\n", paths.size());
  for (const std::vector<size_t>& path : paths) fmt::print("  {}\n", path_text(rule, path));
}

void print_json(const ChainRule& rule) {
  for (const ChainNode& node : rule.nodes)
    print_line({{"event", "value"},
                {"name", node.name},
                {"value", node.value},
                {"parameter", node.is_parameter},
                {"derivative", node.derivative}});
  for (const ChainEdge& edge : rule.edges)
    print_line({{"event", "edge"},
                {"of", rule.nodes[edge.node].name},
                {"by", rule.nodes[edge.operand].name},
                {"derivative", edge.derivative},
                {"difference", edge.difference}});
  for (const ChainNode& node : rule.nodes)
    if (node.is_parameter)
      print_line({{"event", "gradient"},
                  {"parameter", node.name},
                  {"derivative", node.derivative},
                  {"difference", node.difference}});
}

ExitCode explain(ExplainOptions options) {
  options.model.shows_names = true;
  Workspace workspace(options.model);
  if (!workspace.input_names().empty()) workspace.description();
  const Graph graph =
      workspace.graph(GraphMode::Run, 1, Stage::Grad, {.training = false, .names = true});
  Session session(workspace, workspace.train_settings().seed);
  start_session(session, workspace, options.weights);
  const ChainRule rule = find_chain_rule(graph, input_values(graph, workspace, session));
  if (options.model.json) {
    print_json(rule);
    return ExitCode::Done;
  }
  print_values(rule, SourceLines(options.model.model));
  print_edges(rule);
  for (size_t i = 0; i < rule.nodes.size(); ++i)
    if (rule.nodes[i].is_parameter) print_parameter(rule, i);
  return ExitCode::Done;
}

}  // namespace

Action configure_explain(Flags& flags) {
  auto options = std::make_shared<ExplainOptions>();
  add_model_flags(flags, options->model);
  add_data_flags(flags, options->model);
  flags.add("--weights", &options->weights, "Trained weights; without: fresh values").as_path();
  return [options] { return explain(*options); };
}

}  // namespace gradc
