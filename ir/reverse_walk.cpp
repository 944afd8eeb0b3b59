// One walk back over the nodes between the x's and the seeds.
#include "ir/reverse_walk.h"

#include <algorithm>

namespace gradc {
namespace {

/// The input that a value is, seen through conversions and movement; empty if it is something else.
std::string input_behind(const Graph& graph, ValueId value) {
  while (const Node* node = graph.defining_node(value)) {
    const bool same_elements =
        node->kind == OpKind::Convert || op_class(node->kind) == OpClass::Movement;
    if (!same_elements || node->operands.size() != 1) return {};
    value = node->operands[0];
  }
  return graph.inputs()[index(value)].name;
}

bool is_zero(const Graph& graph, ValueId value) {
  const Node* node = graph.defining_node(value);
  while (node != nullptr && node->kind == OpKind::Broadcast)
    node = graph.defining_node(node->operands[0]);
  if (node == nullptr || node->kind != OpKind::Constant) return false;
  const Tensor& tensor = node->attrs.get<Tensor>("value");
  return tensor.size() == 1 && tensor.at(0) == 0;
}

/// The axis on which the parts of two pads with zeros follow each other, if they agree on all
/// others.
std::optional<size_t> adjacent_axis(const GraphBuilder& builder, const Node& a, const Node& b) {
  std::optional<size_t> found;
  for (size_t axis = 0; axis < a.attrs.ints("low").size(); ++axis) {
    const int64_t low = a.attrs.ints("low")[axis], high = a.attrs.ints("high")[axis];
    if (low == b.attrs.ints("low")[axis] && high == b.attrs.ints("high")[axis]) continue;
    const int64_t size = builder.shape(a.operands[0])[static_cast<int64_t>(axis)];
    if (found || low + size != b.attrs.ints("low")[axis]) return std::nullopt;
    found = axis;
  }
  return found;
}

/// The sum of two cotangents. Those of neighbouring slices are joined:
/// pad(a) + pad(b) = pad(concat(a, b)), so that a tensor that was split is written once.
ValueId added(GraphBuilder& builder, ValueId total, ValueId cotangent) {
  const Graph& graph = builder.graph();
  const auto pad_behind = [&](ValueId value) -> std::optional<Node> {
    const Node* node = graph.defining_node(value);
    const bool is_pad = node != nullptr && node->kind == OpKind::Pad;
    return is_pad && is_zero(graph, node->operands[1]) ? std::optional(*node) : std::nullopt;
  };
  std::optional<Node> a = pad_behind(total);
  std::optional<Node> b = pad_behind(cotangent);
  if (a && b) {
    std::optional<size_t> axis = adjacent_axis(builder, *a, *b);
    if (!axis) {
      std::swap(a, b);
      axis = adjacent_axis(builder, *a, *b);
    }
    if (axis) {
      const ValueId joined = builder.add(OpKind::Concat, {a->operands[0], b->operands[0]},
                                         {{"axis", static_cast<int64_t>(*axis)}});
      std::vector<int64_t> high = a->attrs.ints("high");
      high[*axis] = b->attrs.ints("high")[*axis];
      if (builder.type(joined) == builder.type(total)) return joined;
      return builder.add(OpKind::Pad, {joined, a->operands[1]},
                         {{"low", a->attrs.ints("low")}, {"high", std::move(high)}});
    }
  }
  return builder.add(total, cotangent);
}

/// One expansion: the state of a walk back from the seeds.
class ReverseWalk {
 public:
  ReverseWalk(GraphBuilder& builder, std::span<const Cotangent> seeds, std::span<const ValueId> xs,
              std::vector<MissingDerivative>& missing)
      : builder_(builder),
        on_path_(builder.graph().value_count()),
        cotangents_(builder.graph().value_count()),
        missing_(missing) {
    for (const Cotangent& seed : seeds)
      last_ = std::max(last_, builder.graph().producer(seed.value));
    mark_paths(xs);
    for (const Cotangent& seed : seeds) {
      if (!on_path_[index(seed.value)]) continue;
      std::optional<ValueId>& total = cotangents_[index(seed.value)];
      total = total ? builder_.add(*total, seed.cotangent) : seed.cotangent;
    }
  }

  void run() {
    for (int32_t position = last_; position >= first_; --position) {
      // A copy: the rule appends to the list that the node is in.
      const Node node = builder_.graph().nodes()[static_cast<size_t>(position)];
      const bool reached = std::any_of(node.results.begin(), node.results.end(), [&](ValueId r) {
        return on_path_[index(r)] && cotangents_[index(r)].has_value();
      });
      if (reached) visit(node);
    }
  }

  std::optional<ValueId> cotangent(ValueId value) const {
    return index(value) < cotangents_.size() ? cotangents_[index(value)] : std::nullopt;
  }

 private:
  /// Marks the values that depend on an x through floats; nodes before `first_` cannot.
  void mark_paths(std::span<const ValueId> xs) {
    const Graph& graph = builder_.graph();
    first_ = last_ + 1;
    for (ValueId x : xs) {
      if (graph.producer(x) > last_ || !is_float(graph.type(x).dtype)) continue;
      on_path_[index(x)] = true;
      first_ = std::min(first_, graph.producer(x) + 1);
    }
    for (int32_t position = first_; position <= last_; ++position) {
      const Node& node = graph.nodes()[static_cast<size_t>(position)];
      if (node.kind == OpKind::StopGradient) continue;
      const bool depends = std::any_of(node.operands.begin(), node.operands.end(),
                                       [&](ValueId operand) { return is_active(operand); });
      if (!depends) continue;
      for (ValueId result : node.results)
        if (is_float(graph.type(result).dtype)) on_path_[index(result)] = true;
    }
  }

  bool is_active(ValueId value) const {
    return index(value) < on_path_.size() && on_path_[index(value)];
  }

  void visit(const Node& node) {
    std::vector<std::optional<ValueId>> cotangents;
    for (ValueId result : node.results) cotangents.push_back(cotangent(result));
    if (node.kind == OpKind::Group) {
      report(node, "fused nodes cannot be differentiated; differentiation comes before fusion");
      return;
    }
    if (op_def(node.kind).vjp == nullptr) return;
    VjpContext context(
        builder_, node.operands, node.results, cotangents, node.attrs,
        [&](size_t operand) { return begin_operand(node, operand); },
        [&](size_t operand, ValueId cotangent) { accumulate(node, operand, cotangent); });
    for (size_t k = 0; k < node.operands.size() && !begin_operand(node, k);) ++k;
    try {
      run_vjp(node.kind, context);
    } catch (const Error& error) {
      report(node, error.what());
    }
  }

  /// Notes the fault, and lets zeros flow on so that faults behind it are found too.
  void report(const Node& node, std::string_view why) {
    missing_.push_back({node.origin ? *node.origin : Origin{},
                        fmt::format("{}: {}", op_info(node.kind).name, why)});
    for (size_t k = 0; k < node.operands.size(); ++k) {
      if (is_active(node.operands[k])) accumulate(node, k, builder_.fill_like(node.operands[k], 0));
    }
  }

  /// Is the operand's cotangent wanted? If so the nodes that follow are given its role.
  bool begin_operand(const Node& node, size_t operand) {
    CHECK(operand < node.operands.size());
    const ValueId value = node.operands[operand];
    if (!is_active(value)) return false;
    Origin origin = node.origin ? *node.origin : Origin{};
    const std::string input = input_behind(builder_.graph(), value);
    origin.role = fmt::format("gradient of {}", input.empty() ? op_info(node.kind).name : input);
    if (!builder_.current_origin() || *builder_.current_origin() != origin) {
      builder_.set_origin(std::make_shared<const Origin>(std::move(origin)));
    }
    return true;
  }

  void accumulate(const Node& node, size_t operand, ValueId cotangent) {
    const ValueId value = node.operands[operand];
    if (!is_active(value)) return;
    CHECK(builder_.type(cotangent) == builder_.type(value),
          "the derivative rule of {} gives operand {} of type {} a cotangent of type {}",
          op_info(node.kind).name, operand, to_string(builder_.type(value)),
          to_string(builder_.type(cotangent)));
    std::optional<ValueId>& total = cotangents_[index(value)];
    total = total ? added(builder_, *total, cotangent) : cotangent;
  }

  GraphBuilder& builder_;
  int32_t first_ = 0;  // the nodes of the walk
  int32_t last_ = -1;
  std::vector<bool> on_path_;
  std::vector<std::optional<ValueId>> cotangents_;
  std::vector<MissingDerivative>& missing_;
};

}  // namespace

std::vector<std::optional<ValueId>> append_cotangents(GraphBuilder& builder,
                                                      std::span<const Cotangent> seeds,
                                                      std::span<const ValueId> xs,
                                                      std::vector<MissingDerivative>& missing) {
  const OriginRef origin = builder.current_origin();
  ReverseWalk walk(builder, seeds, xs, missing);
  walk.run();
  builder.set_origin(origin);
  std::vector<std::optional<ValueId>> cotangents;
  for (ValueId x : xs) cotangents.push_back(walk.cotangent(x));
  return cotangents;
}

}  // namespace gradc
