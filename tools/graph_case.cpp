// Copies parts of graphs, tries smaller ones, writes and reads them.
#include "tools/graph_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ir/builder.h"
#include "ir/text.h"
#include "runtime/atomic_file.h"
#include "runtime/crash_context.h"
#include "runtime/safetensors.h"

namespace gradc {
namespace {

/// Evaluations of the check while a case is made smaller.
constexpr int kMostTries = 400;

/// Which values are needed for `wanted`, going back no further than cuts.
std::vector<bool> needed_for(const Graph& graph, const std::vector<ValueId>& wanted,
                             const std::vector<bool>& is_cut) {
  std::vector<bool> needed(graph.value_count());
  for (ValueId value : wanted) needed[index(value)] = true;
  const std::span<const Node> nodes = graph.nodes();
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool is_computed = std::any_of(
        node->results.begin(), node->results.end(),
        [&](ValueId result) { return needed[index(result)] && !is_cut[index(result)]; });
    if (!is_computed) continue;
    for (ValueId operand : node->operands) needed[index(operand)] = true;
  }
  return needed;
}

class Extraction {
 public:
  Extraction(const Graph& graph, const Values& values)
      : graph_(graph),
        values_(values),
        builder_("part_of_" + (graph.name.empty() ? "graph" : graph.name), GraphMode::Run,
                 graph.rows),
        map_(graph.value_count()) {}

  void add_input(ValueId value) {
    const bool is_input = graph_.is_input(value);
    const std::string wanted =
        is_input ? graph_.inputs()[index(value)].name : fmt::format("value_{}", index(value));
    std::string name = wanted;
    for (int count = 2; !names_.insert(name).second; ++count)
      name = fmt::format("{}_{}", wanted, count);
    map_[index(value)] = builder_.input(InputKind::Data, name, graph_.type(value),
                                        is_input ? graph_.inputs()[index(value)].limit : 0);
    inputs_.push_back(values_[index(value)]);
  }

  void copy(const Node& node) {
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(*map_[index(operand)]);
    const std::vector<ValueId> results = builder_.copy_node(graph_, node, operands);
    // A result that is an input as well, being cut, stays that.
    for (size_t i = 0; i < results.size(); ++i)
      if (!map_[index(node.results[i])]) map_[index(node.results[i])] = results[i];
  }

  GraphCase finish(const std::vector<ValueId>& wanted) && {
    for (size_t i = 0; i < wanted.size(); ++i)
      builder_.output(OutputKind::Output, fmt::format("result_{}", i), *map_[index(wanted[i])]);
    return {std::move(builder_).build(), std::move(inputs_)};
  }

 private:
  const Graph& graph_;
  const Values& values_;
  GraphBuilder builder_;
  std::vector<std::optional<ValueId>> map_;
  std::set<std::string> names_;
  std::vector<Tensor> inputs_;
};

/// Tries parts of a case; gives up when it has tried enough.
class Shrinker {
 public:
  Shrinker(const Graph& graph, Values values, const Differs& differs)
      : graph_(graph),
        values_(std::move(values)),
        differs_(differs),
        is_cut_(graph.value_count()) {}

  std::optional<GraphCase> run() {
    choose_output();
    if (wanted_.empty()) return best_;
    const std::span<const Node> nodes = graph_.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
      for (ValueId result : node->results) {
        if (node->kind == OpKind::Constant || is_wanted(result)) continue;
        if (!needed_for(graph_, wanted_, is_cut_)[index(result)]) continue;
        is_cut_[index(result)] = true;
        if (!still_differs(wanted_)) is_cut_[index(result)] = false;
      }
    return best_;
  }

 private:
  bool is_wanted(ValueId value) const {
    return std::find(wanted_.begin(), wanted_.end(), value) != wanted_.end();
  }

  /// The earliest value that differs by itself.
  void choose_output() {
    for (const Node& node : graph_.nodes())
      for (ValueId result : node.results)
        if (still_differs({result})) {
          wanted_ = {result};
          return;
        }
  }

  bool still_differs(const std::vector<ValueId>& wanted) {
    if (++tries_ > kMostTries) return false;
    try {
      GraphCase part = extract(graph_, values_, wanted, is_cut_);
      if (!differs_(part)) return false;
      best_ = std::move(part);
      return true;
    } catch (const std::exception&) {
      take_crash_trace();  // else a later report would tell of this failure
      return false;
    }
  }

  const Graph& graph_;
  const Values values_;
  const Differs& differs_;
  std::vector<bool> is_cut_;
  std::vector<ValueId> wanted_;
  std::optional<GraphCase> best_;
  int tries_ = 0;
};

}  // namespace

GraphCase extract(const Graph& graph, const Values& values, const std::vector<ValueId>& wanted,
                  const std::vector<bool>& is_cut) {
  const std::vector<bool> needed = needed_for(graph, wanted, is_cut);
  Extraction extraction(graph, values);
  for (uint32_t id = 0; id < graph.value_count(); ++id) {
    const auto value = static_cast<ValueId>(id);
    if (needed[id] && (graph.is_input(value) || is_cut[id])) extraction.add_input(value);
  }
  for (const Node& node : graph.nodes())
    if (std::any_of(node.results.begin(), node.results.end(), [&](ValueId result) {
          return needed[index(result)] && !is_cut[index(result)];
        }))
      extraction.copy(node);
  return std::move(extraction).finish(wanted);
}

GraphCase isolate(const Graph& graph, const Node& node, const Values& values) {
  std::vector<bool> is_cut(graph.value_count());
  for (ValueId operand : node.operands) is_cut[index(operand)] = true;
  return extract(graph, values, node.results, is_cut);
}

GraphCase without_group(const GraphCase& group) {
  const Graph& graph = group.graph;
  if (graph.nodes().size() != 1 || graph.nodes()[0].kind != OpKind::Group) return group;
  const Node& node = graph.nodes()[0];
  const Graph& body = *node.attrs.get<BodyRef>("body");
  GraphCase plain{body, {}};
  for (ValueId operand : node.operands) plain.inputs.push_back(group.inputs[index(operand)]);
  const Values values = interpreted_values(plain.graph, plain.inputs);
  std::vector<ValueId> wanted;
  for (const Output& output : body.outputs()) wanted.push_back(output.value);
  return extract(body, values, wanted, std::vector<bool>(body.value_count()));
}

GraphCase shrink(const GraphCase& whole, const Differs& differs) {
  const auto is_difference = [&](const GraphCase& part) {
    try {
      return differs(part);
    } catch (const std::exception&) {
      take_crash_trace();
      return false;
    }
  };
  const GraphCase plain = without_group(whole);
  const GraphCase& start = is_difference(plain) ? plain : whole;
  if (std::any_of(start.graph.nodes().begin(), start.graph.nodes().end(),
                  [](const Node& node) { return node.kind == OpKind::Gradient; }))
    return start;
  Shrinker shrinker(start.graph, interpreted_values(start.graph, start.inputs), differs);
  std::optional<GraphCase> smaller = shrinker.run();
  return smaller ? *std::move(smaller) : start;
}

void write_case(const std::string& path, const GraphCase& written) {
  const std::string text = print(Module{written.graph.name, {}, {written.graph}});
  write_file(path + ".graph", std::as_bytes(std::span(text)), AtomicFile::Durability::ProcessEnd);
  NamedTensors feed;
  for (size_t i = 0; i < written.inputs.size(); ++i)
    feed.add(written.graph.inputs()[i].name, written.inputs[i]);
  write_safetensors(path + ".safetensors", feed);
}

std::vector<Tensor> feed_from(const std::string& path, const Graph& graph) {
  const NamedTensors content = read_safetensors(path);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const std::string& name = graph.inputs()[i].name;
    const Tensor* tensor = content.find(name);
    if (tensor == nullptr)
      throw Error(ExitCode::ModelOrData, "E0901",
                  fmt::format("{} has no tensor `{}`, an input of the graph", path, name));
    const Type& type = graph.type(Graph::input_value(i));
    if (tensor->type() != type)
      throw Error(ExitCode::ModelOrData, "E0902",
                  fmt::format("{}: `{}` is {}, the graph has {}", path, name,
                              to_string(tensor->type()), to_string(type)));
    inputs.push_back(*tensor);
  }
  return inputs;
}

}  // namespace gradc
