// One derivative rule against central differences.
#include "passes/gradcheck_node.h"

#include <algorithm>
#include <cmath>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr double kStep = 1e-6;
/// Streams of the random numbers: operands count from 0, results from here.
constexpr uint64_t kResultStream = 1000;

bool is_finite(const Tensor& tensor) {
  const auto elements = tensor.span<double>();
  return std::all_of(elements.begin(), elements.end(), [](double x) { return std::isfinite(x); });
}

/// One node, its operands, and the cotangents of its results: all as inputs of small graphs.
struct NodeProblem {
  OpKind kind;
  const Attrs& attrs;
  std::vector<Tensor> operands;
  std::vector<std::optional<Tensor>> cotangents;
};

std::vector<Tensor> evaluate(const NodeProblem& problem) {
  GraphBuilder builder("node", GraphMode::Body);
  std::vector<ValueId> inputs;
  for (size_t k = 0; k < problem.operands.size(); ++k) {
    inputs.push_back(builder.input(InputKind::Operand, fmt::format("operand_{}", k),
                                   problem.operands[k].type()));
  }
  const std::vector<ValueId> results = builder.add_node(problem.kind, inputs, problem.attrs);
  for (size_t k = 0; k < results.size(); ++k) {
    builder.output(OutputKind::Result, fmt::format("result_{}", k), results[k]);
  }
  return interpret(std::move(builder).build(), problem.operands);
}

/// The cotangents of the operands, by the rule; nothing where it adds none.
std::vector<std::optional<Tensor>> operand_cotangents(const NodeProblem& problem) {
  GraphBuilder builder("vjp", GraphMode::Body);
  std::vector<Tensor> tensors = problem.operands;
  std::vector<ValueId> operands;
  for (size_t k = 0; k < tensors.size(); ++k) {
    operands.push_back(
        builder.input(InputKind::Operand, fmt::format("operand_{}", k), tensors[k].type()));
  }
  std::vector<std::optional<ValueId>> cotangents;
  for (const std::optional<Tensor>& cotangent : problem.cotangents) {
    cotangents.emplace_back();
    if (!cotangent) continue;
    cotangents.back() = builder.input(
        InputKind::Operand, fmt::format("cotangent_{}", tensors.size()), cotangent->type());
    tensors.push_back(*cotangent);
  }
  const std::vector<ValueId> results = builder.add_node(problem.kind, operands, problem.attrs);
  std::vector<std::optional<ValueId>> totals(operands.size());
  VjpContext context(
      builder, operands, results, cotangents, problem.attrs,
      [&](size_t k) { return is_float(problem.operands[k].dtype()); },
      [&](size_t k, ValueId cotangent) {
        totals[k] = totals[k] ? builder.add(*totals[k], cotangent) : cotangent;
      });
  run_vjp(problem.kind, context);
  for (size_t k = 0; k < totals.size(); ++k) {
    if (totals[k]) builder.output(OutputKind::Result, fmt::format("total_{}", k), *totals[k]);
  }
  const std::vector<Tensor> values = interpret(std::move(builder).build(), tensors);
  std::vector<std::optional<Tensor>> by_operand(operands.size());
  size_t next = 0;
  for (size_t k = 0; k < totals.size(); ++k) {
    if (totals[k]) by_operand[k] = values[next++];
  }
  return by_operand;
}

/// sum over the results of <cotangent, result>, with operand k moved by scale * direction.
double projected(NodeProblem problem, size_t k, double scale, const Tensor& direction) {
  problem.operands[k] = moved(problem.operands[k], scale, direction);
  const std::vector<Tensor> results = evaluate(problem);
  double total = 0;
  for (size_t r = 0; r < results.size(); ++r) {
    if (problem.cotangents[r]) total += inner_product(*problem.cotangents[r], results[r]);
  }
  return total;
}

/// Random cotangents for the float results; false if there is none or one is not finite.
bool choose_cotangents(NodeProblem& problem, uint64_t seed) {
  bool has_float = false;
  for (const Tensor& result : evaluate(problem)) {
    problem.cotangents.emplace_back();
    if (result.dtype() != DType::F64) continue;
    if (!is_finite(result)) return false;
    has_float = true;
    problem.cotangents.back() =
        random_direction(result.shape(), seed, kResultStream + problem.cotangents.size());
  }
  return has_float;
}

}  // namespace

bool derivatives_agree(double derivative, double quotient, double magnitude) {
  const double size = std::max(std::abs(derivative), std::abs(quotient));
  return std::abs(derivative - quotient) <= 1e-5 * size + 1e-8 * magnitude;
}

Tensor random_direction(const Shape& shape, uint64_t seed, uint64_t stream) {
  Tensor direction(DType::F64, shape);
  uint64_t position = 0;
  for (double& element : direction.span<double>()) {
    element = 2 * random_unit_f64({seed, stream, 0}, position++) - 1;
  }
  return direction;
}

double inner_product(const Tensor& a, const Tensor& b) {
  double total = 0;
  for (int64_t i = 0; i < a.size(); ++i) total += a.span<double>()[i] * b.span<double>()[i];
  return total;
}

Tensor moved(const Tensor& a, double scale, const Tensor& b) {
  Tensor result = a.clone();
  const auto elements = result.span<double>();
  const auto direction = b.span<double>();
  for (size_t i = 0; i < elements.size(); ++i) elements[i] += scale * direction[i];
  return result;
}

std::vector<VjpDifference> check_vjp(OpKind kind, const Attrs& attrs,
                                     std::span<const Tensor> operands, uint64_t seed) {
  NodeProblem problem{kind, attrs, {operands.begin(), operands.end()}, {}};
  if (op_def(kind).vjp == nullptr || !choose_cotangents(problem, seed)) return {};
  const std::vector<std::optional<Tensor>> cotangents = operand_cotangents(problem);
  std::vector<VjpDifference> differences;
  for (size_t k = 0; k < operands.size(); ++k) {
    if (operands[k].dtype() != DType::F64 || !is_finite(operands[k])) continue;
    const Tensor direction = random_direction(operands[k].shape(), seed, k);
    const double derivative = cotangents[k] ? inner_product(*cotangents[k], direction) : 0.0;
    const double above = projected(problem, k, kStep, direction);
    const double below = projected(problem, k, -kStep, direction);
    // Not defined on both sides: pow of a negative base when its exponent moves.
    if (!std::isfinite(above) || !std::isfinite(below)) continue;
    const double quotient = (above - below) / (2 * kStep);
    const double magnitude = 1 + std::abs(above) + std::abs(below);
    differences.push_back(
        {k, derivative, quotient, derivatives_agree(derivative, quotient, magnitude)});
  }
  return differences;
}

}  // namespace gradc
