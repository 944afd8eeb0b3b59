// Tries one simplification after the other and keeps those with which the sample still fails.
#include "tests/soak/shrink_sample.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/text.h"
#include "passes/dce.h"
#include "passes/pipeline.h"

namespace gradc::testing {
namespace {

/// What a graph is rebuilt without.
struct Changes {
  std::optional<size_t> only_output = {};
  std::optional<size_t> without_output = {};
  std::map<ValueId, Tensor> cuts = {};          // become inputs
  std::map<ValueId, ValueId> substitutes = {};  // by earlier values
  std::map<ValueId, double> fills = {};
  std::map<size_t, BodyRef> bodies = {};  // of nodes, by position
};

Tensor fitted(const Tensor& tensor, const Type& type) {
  Tensor result(type);
  for (int64_t i = 0; i < std::min(result.size(), tensor.size()); ++i) result.set(i, tensor.at(i));
  return result;
}

class Rebuild {
 public:
  Rebuild(const Sample& sample, const Changes& changes)
      : graph_(sample.graph),
        given_(sample.inputs),
        changes_(changes),
        needed_(graph_.value_count()),
        map_(graph_.value_count()),
        builder_(graph_.name, graph_.mode, graph_.rows) {}

  Sample run() {
    mark_needed();
    std::vector<Tensor> inputs = add_inputs();
    for (size_t n = 0; n < graph_.nodes().size(); ++n) copy(n);
    for (const Output* output : kept_outputs())
      builder_.output(output->kind, output->name, map(output->value));
    return {std::move(builder_).build(), std::move(inputs), 0};
  }

 private:
  std::vector<const Output*> kept_outputs() const {
    std::vector<const Output*> kept;
    for (size_t k = 0; k < graph_.outputs().size(); ++k)
      if (!(changes_.only_output && *changes_.only_output != k) && changes_.without_output != k)
        kept.push_back(&graph_.outputs()[k]);
    return kept;
  }

  ValueId source(ValueId value) const {
    for (auto at = changes_.substitutes.find(value); at != changes_.substitutes.end();
         at = changes_.substitutes.find(value))
      value = at->second;
    return value;
  }

  bool is_replaced(ValueId value) const {
    return changes_.cuts.contains(value) || changes_.fills.contains(value) ||
           changes_.substitutes.contains(value);
  }

  void mark_needed() {
    for (const Output* output : kept_outputs()) {
      needed_[index(source(output->value))] = true;
      for (size_t i = 0; i < graph_.inputs().size(); ++i)
        if (graph_.inputs()[i].name == output->name) needed_[i] = true;
    }
    for (size_t n = graph_.nodes().size(); n-- > 0;) {
      const Node& node = graph_.nodes()[n];
      if (is_computed(node))
        for (ValueId operand : node.operands) needed_[index(source(operand))] = true;
    }
  }

  bool is_computed(const Node& node) const {
    return std::any_of(node.results.begin(), node.results.end(), [&](ValueId result) {
      return needed_[index(result)] && !is_replaced(result);
    });
  }

  std::vector<Tensor> add_inputs() {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      if (!needed_[i]) continue;
      const ValueId value = Graph::input_value(i);
      map_[i] =
          builder_.input(graph_.inputs()[i].kind, graph_.inputs()[i].name, graph_.type(value));
      inputs.push_back(given_[i]);
    }
    for (const auto& [value, tensor] : changes_.cuts) {
      if (!needed_[index(value)]) continue;
      map_[index(value)] = builder_.input(
          InputKind::Data, fmt::format("v{}_{}", index(value), inputs.size()), tensor.type());
      inputs.push_back(tensor);
    }
    return inputs;
  }

  ValueId map(ValueId value) { return *map_[index(source(value))]; }

  void copy(size_t position) {
    const Node& node = graph_.nodes()[position];
    for (ValueId result : node.results)
      if (const auto fill = changes_.fills.find(result);
          fill != changes_.fills.end() && needed_[index(result)])
        map_[index(result)] = builder_.fill(graph_.type(result), fill->second);
    if (!is_computed(node)) return;
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map(operand));
    Attrs attrs = node.attrs;
    if (const auto body = changes_.bodies.find(position); body != changes_.bodies.end())
      attrs.set("body", body->second);
    const std::vector<ValueId> results = builder_.add_node(node.kind, operands, attrs);
    for (size_t i = 0; i < results.size(); ++i)
      if (!map_[index(node.results[i])]) map_[index(node.results[i])] = results[i];
  }

  const Graph& graph_;
  const std::vector<Tensor>& given_;
  const Changes& changes_;
  std::vector<bool> needed_;
  std::vector<std::optional<ValueId>> map_;
  GraphBuilder builder_;
};

class Shrinker {
 public:
  Shrinker(Sample sample, const std::function<bool(const Sample&)>& fails)
      : sample_(std::move(sample)), fails_(fails) {}

  Sample run() {
    try_sample([&] { return Rebuild(sample_, {}).run(); });
    keep_one_output();
    try_sample([&] {
      return Sample{run_until(sample_.graph, Stage::Grad), sample_.inputs, sample_.seed};
    });
    for (bool changed = true; changed && tries_ < kMostTries;) {
      changed = keep_one_output();
      changed = cut_values() || changed;
      changed = replace_nodes() || changed;
      changed = replace_in_bodies() || changed;
      changed = shrink_sizes() || changed;
    }
    return std::move(sample_);
  }

 private:
  template <typename Make>
  bool try_sample(Make make) {
    if (++tries_ > kMostTries) return false;
    try {
      Sample candidate = make();
      if (candidate.graph.outputs().empty()) return false;
      candidate.seed = sample_.seed;
      if (!fails_(candidate)) return false;
      sample_ = std::move(candidate);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  bool try_changes(const Changes& changes) {
    return try_sample([&] { return Rebuild(sample_, changes).run(); });
  }

  bool keep_one_output() {
    if (sample_.graph.outputs().size() < 2) return false;
    for (size_t k = 0; k < sample_.graph.outputs().size(); ++k)
      if (try_changes({.only_output = k})) return true;
    bool changed = false;
    for (size_t k = sample_.graph.outputs().size(); k-- > 0;)
      changed = try_changes({.without_output = k}) || changed;
    return changed;
  }

  /// The results of nodes as inputs, so that what they come from goes.
  bool cut_values() {
    std::map<ValueId, Tensor> values;
    try {
      interpret(sample_.graph, sample_.inputs,
                [&](ValueId value, const Tensor& tensor) { values[value] = tensor; });
    } catch (const std::exception&) {
      return false;  // gradient nodes
    }
    for (size_t n = 0; n < sample_.graph.nodes().size(); ++n) {
      const Node& node = sample_.graph.nodes()[n];
      if (node.operands.empty()) continue;
      Changes changes;
      for (ValueId result : node.results) changes.cuts[result] = values.at(result).clone();
      const size_t before = sample_.graph.nodes().size();
      if (try_changes(changes) && sample_.graph.nodes().size() < before) {
        cut_values();
        return true;
      }
    }
    return false;
  }

  bool replace_nodes() {
    for (size_t n = sample_.graph.nodes().size(); n-- > 0;) {
      const Node& node = sample_.graph.nodes()[n];
      if (node.kind == OpKind::Constant) continue;
      for (const Changes& changes : replacements(sample_.graph, node))
        if (try_changes(changes)) return true;
    }
    return false;
  }

  static std::vector<Changes> replacements(const Graph& graph, const Node& node) {
    std::vector<Changes> all;
    for (ValueId operand : node.operands)
      if (graph.type(operand) == graph.type(node.results[0]) && node.results.size() == 1)
        all.push_back({.substitutes = {{node.results[0], operand}}});
    const Node* operand = node.operands.empty() ? nullptr : graph.defining_node(node.operands[0]);
    const bool is_fill =
        node.kind == OpKind::Broadcast && operand != nullptr && operand->kind == OpKind::Constant;
    if (is_fill) return all;
    Changes ones;
    for (ValueId result : node.results) ones.fills[result] = 1;
    all.push_back(ones);
    return all;
  }

  bool replace_in_bodies() {
    for (size_t n = 0; n < sample_.graph.nodes().size(); ++n) {
      const AttrValue* value = sample_.graph.nodes()[n].attrs.find("body");
      if (value == nullptr) continue;
      const BodyRef body = std::get<BodyRef>(*value);
      for (const Node& node : body->nodes()) {
        if (node.kind == OpKind::Constant) continue;
        for (const Changes& changes : replacements(*body, node))
          if (try_sample([&] {
                return Rebuild(sample_, {.bodies = {{n, with_inputs(*body, changes)}}}).run();
              }))
            return true;
      }
    }
    return false;
  }

  /// A body keeps its inputs: they are its interface.
  static BodyRef with_inputs(const Graph& body, const Changes& changes) {
    Rewriter rewriter(body);
    for (const Node& node : body.nodes()) {
      const std::vector<ValueId> results = rewriter.copy(node);
      for (size_t i = 0; i < results.size(); ++i) {
        const ValueId old = node.results[i];
        if (const auto at = changes.substitutes.find(old); at != changes.substitutes.end())
          rewriter.replace(old, rewriter.map(at->second));
        if (const auto at = changes.fills.find(old); at != changes.fills.end())
          rewriter.replace(old, rewriter.builder().fill(body.type(old), at->second));
      }
    }
    return std::make_shared<const Graph>(dce(std::move(rewriter).finish()));
  }

  /// Every size n of the text as a smaller number, where that gives a graph.
  bool shrink_sizes() {
    std::set<int64_t, std::greater<>> sizes;
    for (uint32_t v = 0; v < sample_.graph.value_count(); ++v)
      for (int64_t size : sample_.graph.type(static_cast<ValueId>(v)).shape)
        if (size > 1) sizes.insert(size);
    for (int64_t size : sizes)
      for (int64_t smaller : {int64_t{1}, size / 2, size - 1})
        if (smaller > 0 && smaller < size && try_sample([&] { return resized(size, smaller); }))
          return true;
    return false;
  }

  Sample resized(int64_t size, int64_t smaller) const {
    const std::string text = print(Module{"sample", {}, {sample_.graph}});
    std::string changed;
    int depth = 0;
    for (size_t at = 0; at < text.size();) {
      if (text[at] == '[') ++depth;
      if (text[at] == ']') --depth;
      size_t end = at;
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      const bool is_length = text.substr(at >= 9 ? at - 9 : 0, 9) == "length = ";
      if (end > at && (depth > 0 || is_length) && text.substr(at, end - at) == std::to_string(size))
        changed += std::to_string(smaller);
      else
        changed += text.substr(at, std::max(end, at + 1) - at);
      at = std::max(end, at + 1);
    }
    Sample result{parse_module(changed, "sample").graphs[0], {}, sample_.seed};
    for (size_t i = 0; i < sample_.inputs.size(); ++i)
      result.inputs.push_back(fitted(sample_.inputs[i], result.graph.type(Graph::input_value(i))));
    return result;
  }

  static constexpr int kMostTries = 400;

  Sample sample_;
  const std::function<bool(const Sample&)>& fails_;
  int tries_ = 0;
};

}  // namespace

Sample shrink(Sample sample, const std::function<bool(const Sample&)>& fails) {
  return Shrinker(std::move(sample), fails).run();
}

}  // namespace gradc::testing
