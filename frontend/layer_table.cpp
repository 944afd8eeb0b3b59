// Connects the recorded applications by the tensors they make and read.
#include "frontend/layer_table.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace gradc {

namespace {

/// Finds, for each application, the earlier ones whose results it reads. Tensors that nothing
/// recorded made (a scan, a choice) lead on to the tensors they are computed from.
class Wiring {
 public:
  explicit Wiring(const Elaborator& elaborator)
      : elaborator_(elaborator), draft_(elaborator.draft()) {
    for (const Application& application : elaborator.body().applications) {
      makers_of_.push_back(makers(application.operands));
      for (const TensorId result : application.results)
        maker_[result] = static_cast<int64_t>(makers_of_.size()) - 1;
    }
  }

  struct Makers {
    std::vector<size_t> applications;
    std::vector<TensorId> inputs;  // data, parameters and states, directly read
  };
  const Makers& of(size_t application) const { return makers_of_[application]; }

  Makers makers(const std::vector<TensorId>& operands) const {
    Makers found;
    std::unordered_set<TensorId> seen;
    std::vector<TensorId> open(operands.rbegin(), operands.rend());
    while (!open.empty()) {
      const TensorId tensor = open.back();
      open.pop_back();
      if (!seen.insert(tensor).second) continue;
      const auto maker = maker_.find(tensor);
      if (maker != maker_.end()) {
        found.applications.push_back(static_cast<size_t>(maker->second));
      } else if (const DraftNode* node = draft_.node(tensor)) {
        open.insert(open.end(), node->operands.rbegin(), node->operands.rend());
      } else {
        found.inputs.push_back(tensor);
      }
    }
    return found;
  }

  /// Which applications the outputs depend on.
  std::vector<bool> reached() const {
    std::vector<TensorId> values;
    for (const Published& end : ends()) values.push_back(end.value);
    std::vector<bool> is_reached(makers_of_.size(), false);
    for (const size_t application : makers(values).applications) is_reached[application] = true;
    for (size_t i = makers_of_.size(); i-- > 0;)
      if (is_reached[i])
        for (const size_t operand : makers_of_[i].applications) is_reached[operand] = true;
    return is_reached;
  }

  const std::vector<Published>& ends() const {
    return elaborator_.outputs().empty() ? elaborator_.losses() : elaborator_.outputs();
  }

 private:
  const Elaborator& elaborator_;
  const DraftGraph& draft_;
  std::vector<Makers> makers_of_;
  std::unordered_map<TensorId, int64_t> maker_;
};

LayerRow row_of(const Instance& instance, const Elaborator& elaborator) {
  LayerRow row;
  row.path = instance.path;
  row.layer = instance.layer;
  row.output = instance.output;
  row.shape = instance.shape;
  row.multiply_adds = instance.multiply_adds;
  row.applications = instance.applications;
  for (const auto& owned : elaborator.ownership().owned()) {
    if (owned->owner != &instance) continue;
    const int64_t count = owned->type.shape.element_count();
    const bool is_parameter = owned->kind == InputKind::Parameter;
    (is_parameter ? row.parameters : row.states) += count;
    if (is_parameter && !elaborator.is_frozen(owned->path)) row.trainable += count;
  }
  return row;
}

Value result_of(const Application& application) {
  if (application.results.size() == 1) return application.results[0];
  return Value::list({application.results.begin(), application.results.end()});
}

}  // namespace

std::vector<LayerRow> layer_rows(const Elaborator& elaborator) {
  const std::vector<Application>& applications = elaborator.body().applications;
  const std::vector<bool> is_reached = Wiring(elaborator).reached();
  const auto& instances = elaborator.ownership().instances();
  LayerRow own = row_of(*instances.front(), elaborator);  // the model was made first
  std::vector<LayerRow> rows;
  size_t next = 0;
  for (size_t i = 1; i <= instances.size(); ++i) {
    for (; next < applications.size() && applications[next].instances_before <= i; ++next) {
      const Application& application = applications[next];
      if (application.instance || application.is_operator || application.operands.empty() ||
          !is_reached[next])
        continue;
      const Value result = result_of(application);
      LayerRow row;
      row.path = application.path;
      row.layer = application.what;
      row.output = elaborator.describe(result);
      row.shape = elaborator.shape_text(result);
      row.multiply_adds = application.multiply_adds;
      own.multiply_adds -= application.multiply_adds;
      rows.push_back(std::move(row));
    }
    if (i < instances.size()) rows.push_back(row_of(*instances[i], elaborator));
  }
  rows.push_back(std::move(own));
  return rows;
}

namespace {

class LayerGraphMaker {
 public:
  explicit LayerGraphMaker(const Elaborator& elaborator)
      : elaborator_(elaborator), wiring_(elaborator) {}

  std::vector<LayerNode> make() {
    const std::vector<Application>& applications = elaborator_.body().applications;
    const std::vector<bool> is_reached = wiring_.reached();
    for (size_t i = 0; i < applications.size(); ++i) {
      if (!is_reached[i]) continue;
      const Application& application = applications[i];
      LayerNode node;
      node.kind = application.instance      ? LayerNode::Kind::Layer
                  : application.is_operator ? LayerNode::Kind::Operator
                                            : LayerNode::Kind::Function;
      node.path = application.path;
      node.what = application.what;
      for (const TensorId operand : application.operands)
        node.inputs.push_back(elaborator_.shape_text(operand));
      node.output = elaborator_.shape_text(result_of(application));
      node.operands = nodes_of(wiring_.of(i));
      position_[i] = add(std::move(node));
    }
    for (const Published& end : wiring_.ends()) {
      LayerNode node;
      node.kind = LayerNode::Kind::Output;
      node.path = end.name;
      node.what = elaborator_.outputs().empty() ? "loss" : "output";
      node.output = elaborator_.shape_text(end.value);
      node.operands = nodes_of(wiring_.makers({end.value}));
      add(std::move(node));
    }
    return std::move(nodes_);
  }

 private:
  size_t add(LayerNode node) {
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  std::vector<size_t> nodes_of(const Wiring::Makers& makers) {
    std::vector<size_t> nodes;
    for (const TensorId input : makers.inputs)
      if (const std::optional<size_t> node = input_node(input)) nodes.push_back(*node);
    for (const size_t application : makers.applications) nodes.push_back(position_.at(application));
    return nodes;
  }

  /// The node of an input, made when it is first read; seed and step have none.
  std::optional<size_t> input_node(TensorId tensor) {
    if (const auto known = inputs_.find(tensor); known != inputs_.end()) return known->second;
    const auto& inputs = elaborator_.draft().inputs();
    const auto input =
        std::ranges::find(inputs, tensor, [](const DraftInput& one) { return one.id; });
    if (input == inputs.end() || input->kind == InputKind::Seed || input->kind == InputKind::Step)
      return std::nullopt;
    LayerNode node;
    node.kind =
        input->kind == InputKind::Data ? LayerNode::Kind::Input : LayerNode::Kind::Parameter;
    node.path = input->name;
    node.what = name(input->kind);
    node.output = elaborator_.shape_text(tensor);
    return inputs_[tensor] = add(std::move(node));
  }

  const Elaborator& elaborator_;
  const Wiring wiring_;
  std::vector<LayerNode> nodes_;
  std::unordered_map<size_t, size_t> position_;  // of an application
  std::unordered_map<TensorId, size_t> inputs_;
};

}  // namespace

std::vector<LayerNode> layer_graph(const Elaborator& elaborator) {
  return LayerGraphMaker(elaborator).make();
}

}  // namespace gradc
