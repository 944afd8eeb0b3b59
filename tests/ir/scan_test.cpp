// scan: values by hand, faults, derivatives of first and second order.
#include <numeric>

#include "ir/interpret.h"
#include "ir/ops/scan.h"
#include "ir/reverse_walk.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "tests/ir/single_op.h"
#include "tests/random_scan.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::tensor;

constexpr std::string_view kRunningSum = R"(graph file sums
graph run "sums" {
  %0 = input data "start" : f32[]
  %1 = input data "x" : f32[LENGTH]
  %2 = input data "factor" : f32[]
  %3, %4 = scan(%0, %1, %2) {body = graph body "round" {
    %0 = input operand "a0" : f32[]
    %1 = input operand "a1" : f32[]
    %2 = input operand "a2" : f32[]
    %3 = mul(%0, %2) : f32[]
    %4 = add(%3, %1) : f32[]
    output result "r0" = %4
    output result "r1" = %0
  }, carries = 1, sequences = 1, length = LENGTH, reverse = REVERSE} : f32[], f32[LENGTH]
  output output "last" = %3
  output output "before" = %4
}
)";

Graph running_sum(int length, bool reverse) {
  std::string text(kRunningSum);
  const auto fill = [&](std::string_view word, const std::string& value) {
    for (size_t at; (at = text.find(word)) != std::string::npos;)
      text.replace(at, word.size(), value);
  };
  fill("LENGTH", std::to_string(length));
  fill("REVERSE", reverse ? "true" : "false");
  return parse_module(text, "sums").graphs[0];
}

std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> all;
  for (int64_t i = 0; i < tensor.size(); ++i) all.push_back(tensor.at(i));
  return all;
}

/// y = sum of all outputs times fixed weights, and its gradients by all inputs; for order 2 of the
/// weighted sum of the gradients.
Graph gradient_graph(const Graph& graph, int order) {
  GraphBuilder b("gradients", GraphMode::Run);
  std::vector<ValueId> map(graph.value_count());
  std::vector<ValueId> xs;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    map[i] = b.input(InputKind::Data, fmt::format("{}", i), graph.type(Graph::input_value(i)));
    xs.push_back(map[i]);
  }
  for (const Node& node : graph.nodes()) {
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    const auto results = b.add_node(node.kind, operands, node.attrs);
    for (size_t k = 0; k < results.size(); ++k) map[index(node.results[k])] = results[k];
  }
  testing::RandomSource random(5);
  const auto weighted = [&](ValueId value) {
    const Type type = b.type(value);
    const ValueId product =
        b.mul(value, b.constant(testing::random_tensor(random, type, 0.5, 1.5)));
    std::vector<int64_t> axes(static_cast<size_t>(type.shape.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    return b.reduce(OpKind::Sum, product, axes);
  };
  std::vector<ValueId> summed;
  for (const Output& output : graph.outputs()) summed.push_back(map[index(output.value)]);
  ValueId y{};
  for (; order >= 0; --order) {
    y = b.fill({DType::F64, {}}, 0);
    for (ValueId value : summed) y = b.add(y, weighted(value));
    if (order == 0) break;
    const Cotangent seed{y, b.fill_like(y, 1)};
    std::vector<MissingDerivative> missing;
    const auto gradients = append_cotangents(b, {&seed, 1}, xs, missing);
    REQUIRE(missing.empty());
    summed.clear();
    for (size_t k = 0; k < xs.size(); ++k)
      summed.push_back(gradients[k] ? *gradients[k] : b.fill_like(xs[k], 0));
    if (order == 1) {
      b.output(OutputKind::Output, "y", y);
      for (size_t k = 0; k < xs.size(); ++k)
        b.output(OutputKind::Gradient, fmt::format("{}", k), summed[k]);
      break;
    }
  }
  return std::move(b).build();
}

double difference_error(const Graph& graph, int order) {
  const Graph check = gradient_graph(graph, order);
  verify(check, "with its gradients");
  testing::RandomSource random(9);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < check.inputs().size(); ++i)
    inputs.push_back(testing::random_tensor(random, check.type(Graph::input_value(i)), -1, 1));
  const std::vector<Tensor> outputs = interpret(check, inputs);
  constexpr double kStep = 1e-5;
  double worst = 0;
  for (size_t n = 0; n < inputs.size(); ++n) {
    for (int64_t i = 0; i < inputs[n].size(); i += 1 + inputs[n].size() / 4) {
      const double x = inputs[n].at(i);
      inputs[n].set(i, x + kStep);
      const double above = interpret(check, inputs)[0].at(0);
      inputs[n].set(i, x - kStep);
      const double below = interpret(check, inputs)[0].at(0);
      inputs[n].set(i, x);
      const double expected = (above - below) / (2 * kStep);
      const double error = std::abs(outputs[n + 1].at(i) - expected) / (1 + std::abs(expected));
      worst = std::max(worst, std::isnan(error) ? 1.0 : error);
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("scan carries, collects and goes in both directions", "[scan]") {
  const std::vector<Tensor> inputs{tensor(DType::F32, {1}).reshaped({}),
                                   tensor(DType::F32, {1, 2, 3}),
                                   tensor(DType::F32, {2}).reshaped({})};
  const std::vector<Tensor> forward = interpret(running_sum(3, false), inputs);
  CHECK(forward[0].at(0) == 19);  // ((1 * 2 + 1) * 2 + 2) * 2 + 3
  CHECK(numbers(forward[1]) == std::vector<double>{1, 3, 8});
  const std::vector<Tensor> backward = interpret(running_sum(3, true), inputs);
  CHECK(backward[0].at(0) == 25);  // ((1 * 2 + 3) * 2 + 2) * 2 + 1
  CHECK(numbers(backward[1]) == std::vector<double>{12, 5, 1});
  const std::vector<Tensor> none = interpret(
      running_sum(0, false), std::vector{inputs[0], Tensor(DType::F32, Shape{0}), inputs[2]});
  CHECK(none[0].at(0) == 1);
  CHECK(none[1].size() == 0);
}

TEST_CASE("scans print, parse and verify; a body that does not fit is refused", "[scan]") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Graph graph = testing::random_scan_graph(seed, DType::F32);
    verify(graph, "as made");
    const std::string text = print(Module{"m", {}, {graph}});
    CHECK(print(parse_module(text, "m")) == text);
  }
  std::string text = print(Module{"m", {}, {running_sum(3, false)}});
  text.replace(text.find("length = 3"), 10, "length = 4");
  CHECK_THROWS_WITH(parse_module(text, "m"), Catch::Contains("a sequence of 4 rounds"));
  text = print(Module{"m", {}, {running_sum(3, false)}});
  text.replace(text.find("carries = 1"), 11, "carries = 9");
  CHECK_THROWS_WITH(parse_module(text, "m"), Catch::Contains("9 carries"));
}

TEST_CASE("derivatives of scans agree with central differences", "[scan]") {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    const Graph graph = testing::random_scan_graph(seed, DType::F64);
    CHECK(difference_error(graph, 1) < 1e-6);
    if (seed < 24) CHECK(difference_error(graph, 2) < 1e-5);
  }
}

}  // namespace gradc
