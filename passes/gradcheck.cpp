// The gradients of a graph against central differences of the functions they belong to.
#include "passes/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "passes/differentiate.h"
#include "passes/scan_bodies.h"
#include "runtime/core/rng.h"

namespace gradc {
namespace {

/// Tried in turn: a network of many maxima has a kink within any step but the shortest.
constexpr double kSteps[] = {1e-6, 1e-7, 1e-8};
/// Parameters are moved by up to this, so that zeros do not sit on kinks.
constexpr double kJitter = 1e-3;
constexpr uint64_t kJitterStream = uint64_t{1} << 40;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One gradient node after its expansion; ids of the expanded graph.
struct GradientNode {
  ValueId y;
  std::vector<ValueId> xs;
  std::vector<ValueId> gradients;
};

/// A graph without gradient nodes, where they were, and the values of everything at its inputs.
struct Evaluation {
  Graph graph;
  std::vector<GradientNode> gradient_nodes;
  std::vector<Tensor> values;
};

Evaluation evaluate(const Graph& graph, std::span<const Tensor> inputs, uint64_t seed) {
  const Graph wide = rewrite_bodies(widen(graph), differentiate);
  Rewriter rewriter(wide);
  Evaluation evaluation;
  std::vector<MissingDerivative> missing;
  for (const Node& node : wide.nodes()) {
    if (node.kind != OpKind::Gradient) {
      rewriter.copy(node);
      continue;
    }
    GradientNode gradient{
        rewriter.map(node.operands[0]), rewriter.map(std::span(node.operands).subspan(1)), {}};
    gradient.gradients = append_gradient(rewriter.builder(), gradient.y, gradient.xs, missing);
    for (size_t k = 0; k < node.results.size(); ++k) {
      rewriter.replace(node.results[k], gradient.gradients[k]);
    }
    evaluation.gradient_nodes.push_back(std::move(gradient));
  }
  check_nothing_missing(missing);
  evaluation.graph = std::move(rewriter).finish();
  std::vector<Tensor> wide_inputs;
  for (size_t k = 0; k < inputs.size(); ++k) {
    Tensor tensor = widen(inputs[k]);
    if (graph.inputs()[k].kind == InputKind::Parameter && tensor.dtype() == DType::F64) {
      tensor = moved(tensor, kJitter, random_direction(tensor.shape(), seed, kJitterStream + k));
    }
    wide_inputs.push_back(std::move(tensor));
  }
  evaluation.values.resize(evaluation.graph.value_count());
  for (size_t k = 0; k < inputs.size(); ++k) evaluation.values[k] = wide_inputs[k];
  interpret(evaluation.graph, wide_inputs,
            [&](ValueId value, const Tensor& tensor) { evaluation.values[index(value)] = tensor; });
  return evaluation;
}

/// y as a function of one earlier value x.
class Function {
 public:
  Function(const Evaluation& evaluation, ValueId y, ValueId x)
      : evaluation_(evaluation), y_(y), x_(x) {
    mark_path();
  }

  /// The nodes that y depends on x through, in order.
  const std::vector<const Node*>& path() const { return path_; }

  double operator()(const Tensor& x) const {
    std::vector<std::optional<Tensor>> changed(evaluation_.graph.value_count());
    changed[index(x_)] = x;
    for (const Node* node : path_) {
      std::vector<Tensor> operands;
      for (ValueId operand : node->operands) {
        const std::optional<Tensor>& now = changed[index(operand)];
        operands.push_back(now ? *now : evaluation_.values[index(operand)]);
      }
      std::vector<Type> types;
      for (ValueId result : node->results) types.push_back(evaluation_.graph.type(result));
      const std::vector<Tensor> results = op_def(node->kind).eval({operands, node->attrs, types});
      for (size_t k = 0; k < results.size(); ++k) changed[index(node->results[k])] = results[k];
    }
    const std::optional<Tensor>& y = changed[index(y_)];
    return (y ? *y : evaluation_.values[index(y_)]).at(0);
  }

 private:
  void mark_path() {
    const std::span<const Node> nodes = evaluation_.graph.nodes();
    std::vector<bool> depends(evaluation_.graph.value_count());
    depends[index(x_)] = true;
    std::vector<const Node*> candidates;
    for (const Node& node : nodes) {
      if (node.kind == OpKind::StopGradient) continue;
      const bool reads = std::any_of(node.operands.begin(), node.operands.end(),
                                     [&](ValueId operand) { return depends[index(operand)]; });
      if (!reads) continue;
      candidates.push_back(&node);
      for (ValueId result : node.results) depends[index(result)] = true;
    }
    std::vector<bool> needed(evaluation_.graph.value_count());
    needed[index(y_)] = true;
    for (auto node = candidates.rbegin(); node != candidates.rend(); ++node) {
      if (std::none_of((*node)->results.begin(), (*node)->results.end(),
                       [&](ValueId result) { return needed[index(result)]; })) {
        continue;
      }
      path_.push_back(*node);
      for (ValueId operand : (*node)->operands) needed[index(operand)] = true;
    }
    std::reverse(path_.begin(), path_.end());
  }

  const Evaluation& evaluation_;
  ValueId y_;
  ValueId x_;
  std::vector<const Node*> path_;
};

struct Quotient {
  double value = 0;
  double error = 0;
  bool agrees = false;
};

/// The first difference quotient along `direction` that agrees with the derivative, or else the
/// closest one: central, then to one side, where a kink on the other side does not matter.
Quotient closest_quotient(const Function& function, const Tensor& at, const Tensor& direction,
                          double derivative) {
  std::optional<Quotient> best;
  const double here = function(at);
  for (double step : kSteps) {
    const double above = function(moved(at, step, direction));
    const double below = function(moved(at, -step, direction));
    const double magnitude = 1 + std::abs(above) + std::abs(below);
    for (double value :
         {(above - below) / (2 * step), (above - here) / step, (here - below) / step}) {
      const Quotient quotient{value, std::abs(derivative - value),
                              derivatives_agree(derivative, value, magnitude)};
      if (quotient.agrees) return quotient;
      if (!best || quotient.error < best->error) best = quotient;
    }
  }
  return *best;
}

/// What rounding makes of the quotient of the longest step: y is a line over a part of the step but
/// for that, so it is what second differences show. It follows the terms of y, which may cancel,
/// not y.
double rounding_of_quotient(const Function& function, const Tensor& at, const Tensor& direction) {
  constexpr int kPoints = 8;
  std::vector<double> y;
  for (int k = 0; k < kPoints; ++k)
    y.push_back(function(moved(at, kSteps[0] * (1 + k / 16.0), direction)));
  double largest = 0;
  for (size_t k = 2; k < y.size(); ++k)
    largest = std::max(largest, std::abs(y[k - 2] - 2 * y[k - 1] + y[k]));
  return 2 * largest / kSteps[0];
}

/// Directions to move an operand in: some of all its elements, some of one element alone.
std::vector<Tensor> directions_of(const Shape& shape, uint64_t stream,
                                  const GradcheckOptions& options) {
  std::vector<Tensor> directions;
  for (int k = 0; k < options.directions; ++k)
    directions.push_back(random_direction(shape, options.seed, stream + static_cast<uint64_t>(k)));
  const int64_t elements = std::min<int64_t>(options.elements, shape.element_count());
  for (int64_t k = 0; k < elements; ++k) {
    const double chosen = random_unit_f64({options.seed, stream, 1}, static_cast<uint64_t>(k));
    Tensor one(DType::F64, shape);
    one.set(std::min(static_cast<int64_t>(chosen * static_cast<double>(shape.element_count())),
                     shape.element_count() - 1),
            1);
    directions.push_back(std::move(one));
  }
  return directions;
}

GradientCheck check_one(const Evaluation& evaluation, const Function& function, ValueId x,
                        ValueId gradient, const GradcheckOptions& options) {
  GradientCheck check;
  check.name = evaluation.graph.is_input(x) ? evaluation.graph.inputs()[index(x)].name
                                            : fmt::format("%{}", index(x));
  const Tensor& at = evaluation.values[index(x)];
  if (at.dtype() != DType::F64) return check;
  check.y = function(at);
  for (const Tensor& direction : directions_of(at.shape(), uint64_t{index(x)} * 64, options)) {
    const double derivative = inner_product(evaluation.values[index(gradient)], direction);
    const Quotient best = closest_quotient(function, at, direction, derivative);
    const double error = std::isfinite(best.error) ? best.error : kInfinity;
    check.max_abs_error = std::max(check.max_abs_error, error);
    const double size = std::max({std::abs(derivative), std::abs(best.value), 1e-300});
    const double relative = std::isfinite(best.error) ? best.error / size : kInfinity;
    check.max_rel_error = std::max(check.max_rel_error, relative);
    check.agrees = check.agrees &&
                   (best.agrees || best.error <= rounding_of_quotient(function, at, direction));
  }
  return check;
}

/// The last node of the path whose rule disagrees with its own differences; each op is tried once
/// for each combination of operand types.
std::optional<VjpFault> find_fault(const Evaluation& evaluation, const Function& function,
                                   uint64_t seed) {
  std::vector<const Node*> tried;
  const auto has_same_form = [&](const Node& a, const Node& b) {
    const auto same_type = [&](ValueId x, ValueId y) {
      return evaluation.graph.type(x) == evaluation.graph.type(y);
    };
    return a.kind == b.kind && std::equal(a.operands.begin(), a.operands.end(), b.operands.begin(),
                                          b.operands.end(), same_type);
  };
  for (auto node = function.path().rbegin(); node != function.path().rend(); ++node) {
    if (std::any_of(tried.begin(), tried.end(),
                    [&](const Node* other) { return has_same_form(*other, **node); })) {
      continue;
    }
    tried.push_back(*node);
    std::vector<Tensor> operands;
    for (ValueId operand : (*node)->operands) {
      operands.push_back(evaluation.values[index(operand)]);
    }
    for (const VjpDifference& difference :
         check_vjp((*node)->kind, (*node)->attrs, operands, seed)) {
      if (difference.agrees) continue;
      return VjpFault{(*node)->kind, (*node)->origin ? *(*node)->origin : Origin{}, difference,
                      (*node)->attrs, operands};
    }
  }
  return {};
}

}  // namespace

bool GradcheckReport::agrees() const {
  return std::all_of(gradients.begin(), gradients.end(),
                     [](const GradientCheck& check) { return check.agrees; });
}

GradcheckReport check_gradients(const Graph& graph, std::span<const Tensor> inputs,
                                const GradcheckOptions& options) {
  CHECK(inputs.size() == graph.inputs().size(), "{} tensors for {} inputs", inputs.size(),
        graph.inputs().size());
  const Evaluation evaluation = evaluate(graph, inputs, options.seed);
  GradcheckReport report;
  for (const GradientNode& node : evaluation.gradient_nodes) {
    for (size_t k = 0; k < node.xs.size(); ++k) {
      const Function function(evaluation, node.y, node.xs[k]);
      report.gradients.push_back(
          check_one(evaluation, function, node.xs[k], node.gradients[k], options));
      if (!report.gradients.back().agrees && !report.fault) {
        report.fault = find_fault(evaluation, function, options.seed);
      }
    }
  }
  return report;
}

}  // namespace gradc
