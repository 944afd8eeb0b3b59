// Constant folding: evaluates, on demand, what small results need.
#include "passes/fold.h"

#include <algorithm>
#include <cstring>

#include "ir/builder.h"
#include "ir/op.h"

namespace gradc {
namespace {

constexpr int64_t kMaxResultElements = 64;
constexpr int64_t kMaxReadElements = 65536;

bool has_no_elements(const Graph& graph, ValueId value) {
  return graph.type(value).shape.element_count() == 0;
}

/// Is the node worth having as such even when its value is known?
bool is_free(const Graph& graph, const Node& node) {
  if (node.kind == OpKind::Constant || node.kind == OpKind::Iota) return true;
  if (node.kind != OpKind::Broadcast) return false;
  const Node* source = graph.defining_node(node.operands[0]);
  const bool is_constant = source != nullptr && source->kind == OpKind::Constant;
  return is_constant || !has_no_elements(graph, node.results[0]);
}

bool is_uniform(const Tensor& tensor) {
  const size_t step = static_cast<size_t>(size_bytes(tensor.dtype()));
  const auto bytes = static_cast<size_t>(tensor.size_bytes());
  return bytes > step && std::memcmp(tensor.raw(), tensor.raw() + step, bytes - step) == 0;
}

/// A constant; a scalar broadcast where all elements are the same.
ValueId add_known(GraphBuilder& builder, const Tensor& tensor) {
  if (tensor.is_empty()) return builder.fill(tensor.type(), 0);
  if (!is_uniform(tensor)) return builder.constant(tensor.clone());
  Tensor scalar(tensor.dtype(), {});
  std::memcpy(scalar.raw(), tensor.raw(), static_cast<size_t>(scalar.size_bytes()));
  return builder.broadcast(builder.constant(std::move(scalar)), tensor.shape(), {});
}

/// Evaluates known values of one graph, each at most once.
class Evaluator {
 public:
  explicit Evaluator(const Graph& graph)
      : graph_(graph), is_known_(graph.value_count()), tensors_(graph.value_count()) {
    for (size_t k = 0; k < graph.inputs().size(); ++k) {
      is_known_[k] = has_no_elements(graph, Graph::input_value(k));
    }
    for (const Node& node : graph.nodes()) mark(node);
  }

  bool is_known(ValueId value) const { return is_known_[index(value)]; }

  const Tensor& tensor(ValueId value) {
    std::optional<Tensor>& known = tensors_[index(value)];
    if (known) return *known;
    if (has_no_elements(graph_, value)) return known.emplace(graph_.type(value));
    const Node& node = *graph_.defining_node(value);
    std::vector<Tensor> operands;
    for (ValueId operand : node.operands) operands.push_back(tensor(operand));
    const Type types[] = {graph_.type(value)};
    known = op_def(node.kind).eval({operands, node.attrs, types})[0];
    return *known;
  }

 private:
  void mark(const Node& node) {
    const OpClass op_class = gradc::op_class(node.kind);
    if (op_class == OpClass::Region || op_class == OpClass::Meta) return;
    const ValueId result = node.results[0];
    const bool is_small = graph_.type(result).shape.element_count() <= kMaxReadElements;
    const bool depends_on_known =
        op_class != OpClass::Random &&
        std::all_of(node.operands.begin(), node.operands.end(),
                    [&](ValueId operand) { return is_known_[index(operand)]; });
    is_known_[index(result)] = (is_small && depends_on_known) || has_no_elements(graph_, result);
  }

  const Graph& graph_;
  std::vector<bool> is_known_;
  std::vector<std::optional<Tensor>> tensors_;
};

}  // namespace

Graph fold(const Graph& graph) {
  Evaluator evaluator(graph);
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const bool is_folded = !is_free(graph, node) && node.results.size() == 1 &&
                           evaluator.is_known(node.results[0]) &&
                           graph.type(node.results[0]).shape.element_count() <= kMaxResultElements;
    if (!is_folded) {
      rewriter.copy(node);
      continue;
    }
    rewriter.builder().set_origin(node.origin);
    rewriter.replace(node.results[0],
                     add_known(rewriter.builder(), evaluator.tensor(node.results[0])));
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
