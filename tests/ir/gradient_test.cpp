// Derivatives of every op against central differences in f64, first and second order.
#include <map>
#include <numeric>

#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::OpCase;
using testing::RandomSource;

ValueId sum_all(GraphBuilder& b, ValueId x) {
  std::vector<int64_t> axes(static_cast<size_t>(b.shape(x).rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return b.reduce(OpKind::Sum, x, axes);
}

/// Reverse mode over all nodes so far: the cotangents of y by each x, zeros where none arrives.
std::vector<ValueId> differentiate(GraphBuilder& b, ValueId y, const std::vector<ValueId>& xs) {
  const std::vector<Node> nodes(b.graph().nodes().begin(), b.graph().nodes().end());
  std::map<ValueId, ValueId> cotangents{{y, b.fill_like(y, 1)}};
  for (size_t n = nodes.size(); n-- > 0;) {
    const Node& node = nodes[n];
    std::vector<std::optional<ValueId>> of_results;
    bool is_reached = false;
    for (ValueId result : node.results) {
      const auto found = cotangents.find(result);
      is_reached |= found != cotangents.end();
      of_results.push_back(found == cotangents.end() ? std::nullopt : std::optional(found->second));
    }
    if (!is_reached || op_def(node.kind).vjp == nullptr) continue;
    const auto needs = [&](size_t i) { return is_float(b.dtype(node.operands[i])); };
    const auto add = [&](size_t i, ValueId cotangent) {
      const ValueId operand = node.operands[i];
      REQUIRE(b.type(cotangent) == b.type(operand));
      const auto [found, is_new] = cotangents.emplace(operand, cotangent);
      if (!is_new) found->second = b.add(found->second, cotangent);
    };
    VjpContext context(b, node.operands, node.results, of_results, node.attrs, needs, add);
    run_vjp(node.kind, context);
  }
  std::vector<ValueId> gradients;
  for (ValueId x : xs)
    gradients.push_back(cotangents.contains(x) ? cotangents.at(x) : b.fill_like(x, 0));
  return gradients;
}

/// sum(x * weights) with fixed irrational weights, so that no component can hide.
ValueId weighted_sum(GraphBuilder& b, ValueId x, uint64_t seed) {
  RandomSource random(seed);
  const Type type = b.type(x);
  return sum_all(b, b.mul(x, b.constant(testing::random_tensor(random, type, 0.5, 1.5))));
}

struct Check {
  Graph graph;                 // outputs: y, then its gradients by the float operands
  std::vector<size_t> floats;  // these operands
};

/// y = weighted sum of the results; for order 2, y = weighted sum of the gradients of that.
Check make_check(OpKind kind, const OpCase& op_case, int order) {
  GraphBuilder b("check", GraphMode::Run);
  std::vector<ValueId> operands;
  std::vector<ValueId> variables;
  std::vector<size_t> floats;
  for (const Tensor& operand : op_case.operands) {
    operands.push_back(
        b.input(InputKind::Data, fmt::format("{}", operands.size()), operand.type()));
    if (!is_float(operand.dtype())) continue;
    variables.push_back(operands.back());
    floats.push_back(operands.size() - 1);
  }
  ValueId y = b.convert(b.add(kind, operands, op_case.attrs), DType::F64);
  y = weighted_sum(b, y, 7);
  for (; order > 1; --order) {
    ValueId next = b.constant(Tensor::scalar(DType::F64, 0));
    for (ValueId gradient : differentiate(b, y, variables))
      next = b.add(next, weighted_sum(b, b.convert(gradient, DType::F64), 8));
    y = next;
  }
  const std::vector<ValueId> gradients = differentiate(b, y, variables);
  b.output(OutputKind::Output, "y", y);
  for (size_t i = 0; i < gradients.size(); ++i)
    b.output(OutputKind::Gradient, fmt::format("{}", floats[i]), gradients[i]);
  return {std::move(b).build(), std::move(floats)};
}

/// The largest difference between gradient and central difference, relative to the gradient's size.
double gradient_error(OpKind kind, OpCase op_case, int order) {
  const Check check = make_check(kind, op_case, order);
  const std::vector<Tensor> outputs = interpret(check.graph, op_case.operands);
  constexpr double kStep = 1e-5;
  double worst = 0;
  for (size_t n = 0; n < check.floats.size(); ++n) {
    Tensor& operand = op_case.operands[check.floats[n]];
    const Tensor& gradient = outputs[n + 1];
    for (int64_t i = 0; i < operand.size(); ++i) {
      const double x = operand.at(i);
      operand.set(i, x + kStep);
      const double above = interpret(check.graph, op_case.operands)[0].at(0);
      operand.set(i, x - kStep);
      const double below = interpret(check.graph, op_case.operands)[0].at(0);
      operand.set(i, x);
      const double expected = (above - below) / (2 * kStep);
      const double error = std::abs(gradient.at(i) - expected);
      worst = std::max(worst, std::isnan(error) ? 1.0 : error / (1 + std::abs(expected)));
    }
  }
  return worst;
}

bool is_smooth(OpKind kind) {
  return op_class(kind) != OpClass::Meta && kind != OpKind::Prod && kind != OpKind::Convert;
}

/// floor(a / b) jumps: keep away from whole quotients.
bool is_near_jump(OpKind kind, const OpCase& op_case) {
  if (kind != OpKind::Mod) return false;
  for (int64_t i = 0; i < op_case.operands[0].size(); ++i) {
    const double quotient = op_case.operands[0].at(i) / op_case.operands[1].at(i);
    if (std::abs(quotient - std::round(quotient)) < 1e-3) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("derivatives agree with central differences", "[gradient]") {
  for (OpKind kind : kAllOpKinds) {
    if (op_def(kind).vjp == nullptr || op_class(kind) == OpClass::Region ||
        kind == OpKind::Gradient)
      continue;
    int cases = 0;
    int empty = 0;
    for (uint64_t seed = 0; seed < 28; ++seed) {
      OpCase op_case = testing::random_op_case(kind, seed, DType::F64, 24);
      if (kind == OpKind::Convert) op_case.attrs.set("dtype", DType::F64);
      if (is_near_jump(kind, op_case)) continue;
      INFO(op_info(kind).name << " seed " << seed);
      CHECK(gradient_error(kind, op_case, 1) < 1e-6);
      if (is_smooth(kind)) CHECK(gradient_error(kind, op_case, 2) < 1e-5);
      ++cases;
      empty += op_case.operands[0].is_empty() ? 1 : 0;
    }
    INFO(op_info(kind).name);
    CHECK(cases >= 20);
    CHECK((empty > 0 || kind == OpKind::Gather || kind == OpKind::ScatterAdd));
  }
}

TEST_CASE("the gradient of prod is right where elements are zero", "[gradient]") {
  for (const auto& values : std::vector<std::vector<double>>{
           {2, 0, 3}, {0, 0, 3}, {0, 0, 0}, {-1, 2, 3}, {0, -0.0, 5}}) {
    const Tensor x = Tensor::from<double>(DType::F64, {3}, std::span<const double>(values));
    const std::vector<int64_t> axes{0};
    CHECK(gradient_error(OpKind::Prod, {{x}, {{"axes", axes}}}, 1) < 1e-6);
  }
}

namespace {

/// The gradient by the first operand of sum(op(...)).
std::vector<double> first_gradient(OpKind kind, const std::vector<Tensor>& operands,
                                   Attrs attrs = {}, size_t position = 0) {
  GraphBuilder b("kink", GraphMode::Run);
  std::vector<ValueId> values;
  for (const Tensor& operand : operands)
    values.push_back(b.input(InputKind::Data, fmt::format("{}", values.size()), operand.type()));
  const ValueId y = sum_all(b, b.add(kind, values, std::move(attrs)));
  b.output(OutputKind::Gradient, "x", differentiate(b, y, {values[position]})[0]);
  const Tensor gradient = interpret(std::move(b).build(), operands)[0];
  std::vector<double> numbers;
  for (int64_t i = 0; i < gradient.size(); ++i) numbers.push_back(gradient.at(i));
  return numbers;
}

}  // namespace

TEST_CASE("kinks have the derivatives that the rows state", "[gradient]") {
  using testing::same_numbers;
  using testing::tensor;
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor a = tensor(DType::F32, {-1, 0, 1, 2});
  const Tensor b = tensor(DType::F32, {0, 0, 0, 2});
  CHECK(same_numbers(first_gradient(OpKind::Maximum, {a, b}), {0, 0, 1, 0}));
  CHECK(same_numbers(first_gradient(OpKind::Maximum, {a, b}, {}, 1), {1, 1, 0, 1}));
  CHECK(same_numbers(first_gradient(OpKind::Minimum, {a, b}), {1, 0, 0, 0}));
  CHECK(same_numbers(first_gradient(OpKind::Minimum, {a, b}, {}, 1), {0, 1, 1, 1}));
  CHECK(same_numbers(first_gradient(OpKind::Abs, {a}), {-1, 0, 1, 1}));
  CHECK(same_numbers(first_gradient(OpKind::Sqrt, {tensor(DType::F64, {0, 4})}), {infinity, 0.25}));
  CHECK(same_numbers(first_gradient(OpKind::Pow, {b, tensor(DType::F32, {0, 1, 2, 2})}),
                     {0, 1, 0, 4}));
  CHECK(same_numbers(first_gradient(OpKind::Pow, {b, tensor(DType::F32, {0, 1, 2, 1})}, {}, 1),
                     {0, 0, 0, static_cast<double>(2 * std::log(2.0F))}));
  const Attrs axis{{"axes", std::vector<int64_t>{0}}};
  CHECK(same_numbers(first_gradient(OpKind::Max, {tensor(DType::F32, {3, 1, 3, 2})}, axis),
                     {0.5, 0, 0.5, 0}));
  CHECK(same_numbers(first_gradient(OpKind::Min, {tensor(DType::F32, {3, 1, 3, 1})}, axis),
                     {0, 0.5, 0, 0.5}));
  CHECK(same_numbers(first_gradient(OpKind::StopGradient, {a}), {0, 0, 0, 0}));
  CHECK(same_numbers(first_gradient(OpKind::Floor, {a}), {0, 0, 0, 0}));
}

TEST_CASE("an infinite operand that is not taken leaves no NaN", "[gradient]") {
  using testing::same_numbers;
  using testing::tensor;
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor condition = tensor(DType::Bool, {1, 0});
  const Tensor x = tensor(DType::F64, {infinity, 1});
  CHECK(same_numbers(first_gradient(OpKind::Select, {condition, x, x}, {}, 1), {1, 0}));
  CHECK(same_numbers(first_gradient(OpKind::Select, {condition, x, x}, {}, 2), {0, 1}));
  CHECK(same_numbers(first_gradient(OpKind::Exp, {tensor(DType::F64, {-infinity})}), {0}));
}

TEST_CASE("a corrupted derivative is wrong by half", "[gradient]") {
  const Tensor x = testing::tensor(DType::F64, {0.5});
  corrupt_derivative_for_test(OpKind::Tanh);
  const double corrupted = first_gradient(OpKind::Tanh, {x})[0];
  corrupt_derivative_for_test(std::nullopt);
  CHECK(corrupted == Approx(1.5 * first_gradient(OpKind::Tanh, {x})[0]));
}

}  // namespace gradc
