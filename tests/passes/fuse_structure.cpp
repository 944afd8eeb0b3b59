// What holds for every fused graph: its form, its meaning, and that it is fused only once.
#include "ir/builder.h"
#include "ir/convolution_pattern.h"
#include "ir/interpret.h"
#include "ir/iteration.h"
#include "ir/matmul_pattern.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/fuse.h"
#include "passes/pipeline.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

void check_form(const Graph& fused) {
  for (const Node& node : fused.nodes()) {
    if (node.kind == OpKind::Constant || node.kind == OpKind::Reshape) continue;
    REQUIRE(node.kind == OpKind::Group);
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const std::string& kind = node.attrs.get<std::string>("kind");
    CHECK(!node.attrs.get<std::string>("reason").empty());
    if (kind == "ordered") {
      CHECK(body.nodes().size() == 1);
      continue;
    }
    CHECK(std::holds_alternative<GroupAnalysis>(analyze_group(body)));
    if (kind == "matmul")
      CHECK(match_matmul(body).has_value());
    else if (kind == "conv")
      CHECK(match_convolution(body).has_value());
    else
      CHECK(kind == "loop");
  }
}

size_t group_count(const Graph& fused) {
  size_t count = 0;
  for (const Node& node : fused.nodes()) count += node.kind == OpKind::Group ? 1 : 0;
  return count;
}

/// The fused form of one op sequence over x: f32[rows, columns].
template <typename Build>
Graph fused_of(const Shape& shape, Build build) {
  GraphBuilder b("test", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, shape});
  b.output(OutputKind::Output, "y", build(b, x));
  return fuse(std::move(b).build());
}

}  // namespace

TEST_CASE("fused graphs have the form and the meaning they should") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    testing::RandomGraphOptions options;
    options.nodes = 5 + static_cast<int>(seed % 50);
    options.discontinuous = true;
    const Graph graph = testing::random_graph(seed, options);
    const std::vector<Tensor> inputs = testing::random_inputs(graph, seed);
    const std::vector<Tensor> expected = interpret(graph, inputs);
    for (const Graph& fused : {fuse(graph), fuse_nothing(graph)}) {
      INFO(print(graph) << print(fused) << "seed " << seed);
      verify(fused, "after fusion");
      check_form(fused);
      CHECK(same_graph(fuse(fused), fused));
      CHECK(same_graph(fuse_nothing(fused), fused));
      const std::vector<Tensor> results = interpret(fused, inputs);
      for (size_t k = 0; k < results.size(); ++k) CHECK(same_bits(results[k], expected[k]));
    }
    CHECK(group_count(fuse(graph)) <= group_count(fuse_nothing(graph)));
  }
}

TEST_CASE("softmax rows are one group") {
  const Graph fused = fused_of({64, 10}, [](GraphBuilder& b, ValueId x) {
    const ValueId top = b.reduce(OpKind::Max, x, {1}, true);
    const ValueId e = b.add(OpKind::Exp, {b.sub(x, b.broadcast_to(top, {64, 10}))});
    return b.div(e, b.broadcast_to(b.reduce(OpKind::Sum, e, {1}, true), {64, 10}));
  });
  INFO(print(fused));
  CHECK(group_count(fused) == 1);
}

TEST_CASE("a cycle through another group is never closed") {
  // exp(x) and the division belong together, but the column sum between them cannot join.
  const Graph fused = fused_of({64, 10}, [](GraphBuilder& b, ValueId x) {
    const ValueId rows = b.reduce(OpKind::Sum, x, {1}, true);
    const ValueId e = b.add(OpKind::Exp, {b.sub(x, b.broadcast_to(rows, {64, 10}))});
    const ValueId columns = b.broadcast_to(b.reduce(OpKind::Sum, e, {0}), {64, 10});
    return b.div(b.add(OpKind::Tanh, {e}), columns);
  });
  INFO(print(fused));
  check_form(fused);
  CHECK(group_count(fused) >= 2);
}

/// x [rows, 48] times [48, 64], the right operand as it is or transposed, plus bias, relu.
Graph dense_layer(int64_t rows, bool is_transposed, bool reads_product) {
  GraphBuilder b("test", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {rows, 48}});
  const Shape kernel_shape = is_transposed ? Shape{64, 48} : Shape{48, 64};
  const ValueId kernel = b.input(InputKind::Parameter, "kernel", {DType::F32, kernel_shape});
  const ValueId bias = b.input(InputKind::Parameter, "bias", {DType::F32, {64}});
  const ValueId product = b.add(OpKind::Dot, {x, kernel},
                                {{"lhs_batch", std::vector<int64_t>{}},
                                 {"rhs_batch", std::vector<int64_t>{}},
                                 {"lhs_contract", std::vector<int64_t>{1}},
                                 {"rhs_contract", std::vector<int64_t>{is_transposed ? 1 : 0}}});
  const ValueId sum = b.add(product, b.broadcast_to(bias, {rows, 64}));
  const ValueId relu = b.add(OpKind::Maximum, {sum, b.fill_like(sum, 0)});
  b.output(OutputKind::Output, "y", relu);
  if (reads_product) b.output(OutputKind::Output, "product", product);
  return std::move(b).build();
}

TEST_CASE("a product in loops takes all along that reads it element by element") {
  for (bool reads_product : {false, true}) {
    const Graph fused = fuse(dense_layer(32, false, reads_product));
    INFO(print(fused));
    check_form(fused);
    CHECK(group_count(fused) == 1);
  }
}

TEST_CASE("a product of the library takes its bias along if nobody else reads it") {
  const bool is_transposed = GENERATE(false, true);
  const int64_t rows = is_transposed ? 32 : 37;  // no tile of 4 to 6 rows divides 37
  for (bool reads_product : {false, true}) {
    const Graph fused = fuse(dense_layer(rows, is_transposed, reads_product));
    INFO(print(fused));
    check_form(fused);
    CHECK(group_count(fused) == 2);
    size_t in_products = 0;
    for (const Node& node : fused.nodes())
      if (node.attrs.get<std::string>("kind") == "matmul")
        in_products = node.attrs.get<BodyRef>("body")->nodes().size();
    CHECK(in_products == (reads_product ? 1 : 3));
  }
}

TEST_CASE("products of attention heads read them where they lie") {
  GraphBuilder b("test", GraphMode::Run);
  const Type heads{DType::F32, {3, 16, 4, 8}};  // [batch, time, heads, size]
  const ValueId query = b.input(InputKind::Data, "query", heads);
  const ValueId key = b.input(InputKind::Data, "key", heads);
  const ValueId value = b.input(InputKind::Data, "value", heads);
  const Attrs over_size{{"lhs_batch", std::vector<int64_t>{0, 1}},
                        {"rhs_batch", std::vector<int64_t>{0, 1}},
                        {"lhs_contract", std::vector<int64_t>{3}},
                        {"rhs_contract", std::vector<int64_t>{2}}};
  const ValueId scores = b.add(
      OpKind::Dot, {b.transpose(query, {0, 2, 1, 3}), b.transpose(key, {0, 2, 3, 1})}, over_size);
  const ValueId heard = b.add(
      OpKind::Dot, {b.add(OpKind::Tanh, {scores}), b.transpose(value, {0, 2, 1, 3})}, over_size);
  b.output(OutputKind::Output, "y", heard);
  const Graph graph = std::move(b).build();
  const Graph fused = fuse(graph);
  INFO(print(fused));
  check_form(fused);
  std::vector<std::string> kinds;
  for (const Node& node : fused.nodes()) kinds.push_back(node.attrs.get<std::string>("kind"));
  CHECK(kinds == std::vector<std::string>{"matmul", "loop", "loop"});
  const std::vector<Tensor> inputs = testing::random_inputs(graph, 3);
  CHECK(same_bits(interpret(graph, inputs)[0], interpret(fused, inputs)[0]));
}
