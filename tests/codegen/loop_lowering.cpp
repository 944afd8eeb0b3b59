// Lowered groups, executed by loop_interpret, against the reference interpreter: every op, random
// graphs fused and unfused, results in the memory of operands.
#include <algorithm>

#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/iteration.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/fuse.h"
#include "tests/codegen/loop_interpret.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

using namespace gradc;
using namespace gradc::testing;

namespace {

/// Floats within a few roundings of the sums they come from, everything else equal.
bool is_near(const Tensor& a, const Tensor& b, double tolerance) {
  if (a.type() != b.type()) return false;
  if (same_bits(a, b)) return true;
  if (!is_float(a.dtype())) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i);
    const double y = b.at(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::abs(x - y) <= tolerance * (1 + std::abs(x) + std::abs(y)))) return false;
  }
  return true;
}

/// Every result that may take an operand's memory is the same there.
void check_in_place(const Graph& body, std::span<const Tensor> operands,
                    const std::vector<Tensor>& expected) {
  const LoweredGroup group = lower_group(body, "test");
  for (const std::pair<int32_t, int32_t>& pair : group.in_place) {
    INFO("operand " << pair.first << " and result " << pair.second);
    const std::vector<Tensor> results = run_group(body, operands, &pair);
    for (size_t k = 0; k < results.size(); ++k) CHECK(same_bits(results[k], expected[k]));
  }
}

}  // namespace

TEST_CASE("every op is lowered to loops that compute it") {
  for (OpKind kind : kAllOpKinds) {
    if (op_class(kind) == OpClass::Meta || op_class(kind) == OpClass::Region ||
        op_class(kind) == OpClass::Ordered)
      continue;
    for (DType dtype : kAllDTypes) {
      if (!takes_dtype(kind, dtype)) continue;
      for (uint64_t seed = 0; seed < 12; ++seed) {
        const OpCase op_case = random_op_case(kind, seed, dtype, 300);
        const Graph graph = single_node_graph(kind, op_case);
        const Graph fused = fuse_nothing(graph);
        verify(fused, "after fuse_nothing");
        INFO(print(graph) << print(fused) << "seed " << seed);
        const std::vector<Tensor> expected = interpret(graph, op_case.operands);
        const std::vector<Tensor> results = run_fused(fused, op_case.operands);
        REQUIRE(results.size() == expected.size());
        for (size_t k = 0; k < results.size(); ++k)
          REQUIRE(is_near(results[k], expected[k], tolerance_of(graph)));
      }
    }
  }
}

TEST_CASE("random graphs are the same bits fused and unfused, and what the interpreter says") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomGraphOptions options;
    options.nodes = 5 + static_cast<int>(seed % 40);
    const Graph graph = random_graph(seed, options);
    const std::vector<Tensor> inputs = random_inputs(graph, seed);
    const Graph fused = fuse(graph);
    verify(fused, "after fuse");
    const std::vector<Tensor> expected = interpret(graph, inputs);
    const std::vector<Tensor> results = run_fused(fused, inputs);
    const std::vector<Tensor> unfused = run_fused(fuse_nothing(graph), inputs);
    INFO(print(graph) << print(fused) << "seed " << seed);
    for (size_t k = 0; k < results.size(); ++k) {
      INFO("output " << graph.outputs()[k].name);
      REQUIRE(same_bits(results[k], unfused[k]));
      REQUIRE(is_near(results[k], expected[k], tolerance_of(graph)));
    }
  }
}

TEST_CASE("results computed in the memory of an operand are the same") {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    const Graph fused = fuse(random_graph(seed));
    for (const Node& node : fused.nodes()) {
      if (node.kind != OpKind::Group || node.attrs.get<std::string>("kind") == "ordered") continue;
      const Graph& body = *node.attrs.get<BodyRef>("body");
      const std::vector<Tensor> operands = random_inputs(body, seed);
      INFO(print(body) << "seed " << seed);
      check_in_place(body, operands, run_group(body, operands));
    }
  }
}

namespace {

Shape kept_shape(const Shape& shape, const std::vector<int64_t>& axes) {
  std::vector<int64_t> sizes;
  for (int64_t axis = 0; axis < shape.rank(); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) sizes.push_back(shape[axis]);
  return Shape(std::move(sizes));
}

/// relu backward with a bias gradient and its update: a masked store and a column sum of it.
Graph column_sums(DType dtype, const Shape& shape, std::vector<int64_t> axes) {
  GraphBuilder b("columns", GraphMode::Run);
  const ValueId hidden = b.input(InputKind::Data, "hidden", {dtype, shape});
  const ValueId gradient = b.input(InputKind::Data, "gradient", {dtype, shape});
  const ValueId bias = b.input(InputKind::Parameter, "bias", {dtype, kept_shape(shape, axes)});
  const ValueId zero = b.fill({dtype, shape}, 0);
  const ValueId masked = b.select(b.add(OpKind::Greater, {hidden, zero}), gradient, zero);
  const ValueId sum = b.reduce(OpKind::Sum, masked, axes);
  const ValueId squares = b.reduce(OpKind::Sum, b.mul(masked, hidden), axes);
  b.output(OutputKind::Output, "masked", masked);
  b.output(OutputKind::Output, "bias", b.sub(bias, b.mul(sum, squares)));
  return std::move(b).build();
}

}  // namespace

TEST_CASE("column sums are the same in every loop order") {
  const std::vector<std::pair<Shape, std::vector<int64_t>>> cases = {
      {{9, 64}, {0}},          {{8, 128}, {0}},     {{20, 512}, {0}},      {{33, 100}, {0}},
      {{128, 10}, {0}},        {{3, 11, 192}, {1}}, {{5, 4, 256}, {0, 1}}, {{4, 3, 70}, {0}},
      {{2, 9, 3, 64}, {1, 2}}, {{2, 9, 2, 65}, {1}}};
  for (DType dtype : {DType::F32, DType::F64, DType::BF16, DType::I32}) {
    for (const auto& [shape, axes] : cases) {
      const Graph graph = column_sums(dtype, shape, axes);
      const std::vector<Tensor> inputs = random_inputs(graph, 7);
      const Graph fused = fuse(graph);
      INFO(print(fused));
      const std::vector<Tensor> expected = interpret(graph, inputs);
      const std::vector<Tensor> results = run_fused(fused, inputs);
      const std::vector<Tensor> unfused = run_fused(fuse_nothing(graph), inputs);
      for (size_t k = 0; k < results.size(); ++k) {
        CHECK(same_bits(results[k], unfused[k]));
        CHECK(is_near(results[k], expected[k], tolerance_of(graph)));
      }
      for (const Node& node : fused.nodes()) {
        if (node.kind != OpKind::Group) continue;
        const Graph& body = *node.attrs.get<BodyRef>("body");
        const std::vector<Tensor> operands = random_inputs(body, 8);
        check_in_place(body, operands, run_group(body, operands));
      }
    }
  }
}
