// Reverse-mode differentiation: one walk back over the nodes between the x's and y.
#include "passes/differentiate.h"

#include <algorithm>

#include "ir/op.h"

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

/// One expansion: the state of a walk back from y.
class ReverseWalk {
 public:
  ReverseWalk(GraphBuilder& builder, ValueId y, std::span<const ValueId> xs,
              std::vector<MissingDerivative>& missing)
      : builder_(builder),
        y_(y),
        on_path_(index(y) + 1),
        cotangents_(index(y) + 1),
        missing_(missing) {
    mark_paths(xs);
  }

  void run() {
    if (!on_path_[index(y_)]) return;
    cotangents_[index(y_)] = builder_.fill_like(y_, 1.0);
    for (int32_t position = builder_.graph().producer(y_); position >= first_; --position) {
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
    first_ = builder_.graph().producer(y_) + 1;
    for (ValueId x : xs) {
      if (index(x) > index(y_) || !is_float(graph.type(x).dtype)) continue;
      on_path_[index(x)] = true;
      first_ = std::min(first_, graph.producer(x) + 1);
    }
    for (int32_t position = first_; position <= graph.producer(y_); ++position) {
      const Node& node = graph.nodes()[static_cast<size_t>(position)];
      if (node.kind == OpKind::StopGradient) continue;
      const bool depends = std::any_of(node.operands.begin(), node.operands.end(),
                                       [&](ValueId operand) { return is_active(operand); });
      if (!depends) continue;
      for (ValueId result : node.results) {
        if (index(result) <= index(y_) && is_float(graph.type(result).dtype)) {
          on_path_[index(result)] = true;
        }
      }
    }
  }

  bool is_active(ValueId value) const {
    return index(value) < on_path_.size() && on_path_[index(value)];
  }

  void visit(const Node& node) {
    std::vector<std::optional<ValueId>> cotangents;
    for (ValueId result : node.results) cotangents.push_back(cotangent(result));
    if (op_class(node.kind) == OpClass::Region) {
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
    total = total ? builder_.add(*total, cotangent) : cotangent;
  }

  GraphBuilder& builder_;
  ValueId y_;
  int32_t first_ = 0;
  std::vector<bool> on_path_;
  std::vector<std::optional<ValueId>> cotangents_;
  std::vector<MissingDerivative>& missing_;
};

}  // namespace

std::vector<ValueId> append_gradient(GraphBuilder& builder, ValueId y, std::span<const ValueId> xs,
                                     std::vector<MissingDerivative>& missing) {
  const OriginRef origin = builder.current_origin();
  ReverseWalk walk(builder, y, xs, missing);
  walk.run();
  builder.set_origin(origin);
  std::vector<ValueId> gradients;
  for (ValueId x : xs) {
    const std::optional<ValueId> cotangent = walk.cotangent(x);
    gradients.push_back(cotangent ? *cotangent : builder.fill_like(x, 0.0));
  }
  return gradients;
}

void check_nothing_missing(const std::vector<MissingDerivative>& missing) {
  if (missing.empty()) return;
  std::string message = missing.size() == 1
                            ? "a derivative is missing"
                            : fmt::format("{} derivatives are missing", missing.size());
  for (const MissingDerivative& entry : missing) {
    const Origin& origin = entry.origin;
    message += origin.line > 0 ? fmt::format("\n  {}:{}:{}: {}", origin.file, origin.line,
                                             origin.column, entry.what)
                               : fmt::format("\n  {}", entry.what);
  }
  throw Error(ExitCode::ModelOrData, "E0714", message);
}

Graph differentiate(const Graph& graph) {
  Rewriter rewriter(graph);
  std::vector<MissingDerivative> missing;
  for (const Node& node : graph.nodes()) {
    if (node.kind != OpKind::Gradient) {
      rewriter.copy(node);
      continue;
    }
    const std::vector<ValueId> operands = rewriter.map(node.operands);
    rewriter.builder().set_origin(node.origin);
    const std::vector<ValueId> gradients =
        append_gradient(rewriter.builder(), operands[0], std::span(operands).subspan(1), missing);
    for (size_t k = 0; k < gradients.size(); ++k) {
      rewriter.replace(node.results[k], gradients[k]);
    }
  }
  check_nothing_missing(missing);
  return std::move(rewriter).finish();
}

}  // namespace gradc
