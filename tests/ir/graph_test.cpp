// Builder short forms, rewriter, interpreter and widening.
#include "ir/verify.h"
#include "tests/ir/single_op.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

Graph doubled_body() {
  GraphBuilder b("", GraphMode::Body);
  const ValueId a = b.input(InputKind::Operand, "0", {DType::F32, {2}});
  b.output(OutputKind::Result, "0", b.add(a, a));
  return std::move(b).build();
}

}  // namespace

TEST_CASE("short forms make no node where nothing changes", "[graph]") {
  GraphBuilder b("", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {2, 3}});
  const ValueId square = b.input(InputKind::Data, "y", {DType::F32, {2, 2}});
  CHECK(b.convert(x, DType::F32) == x);
  CHECK(b.reshape(x, {2, 3}) == x);
  CHECK(b.transpose(x, {0, 1}) == x);
  CHECK(b.broadcast_to(x, {2, 3}) == x);
  CHECK(b.reduce(OpKind::Sum, x, {}) == x);
  CHECK(b.graph().nodes().empty());
  CHECK(b.shape(b.reduce(OpKind::Max, x, {1}, true)) == Shape{2, 1});
  const ValueId filled = b.fill_like(x, 2);
  CHECK(b.type(filled) == b.type(x));
  CHECK(b.broadcast(square, {2, 2}, {1, 0}) != square);
}

TEST_CASE("attributes are values: a change shows in one copy only", "[graph]") {
  const Attrs first{{"axis", int64_t{1}}};
  Attrs second = first;
  CHECK(second.shares_with(first));
  second.set("axis", int64_t{2});
  second.set("keep", true);
  CHECK(first.integer("axis") == 1);
  CHECK_FALSE(first.has("keep"));
  CHECK(second.integer("axis") == 2);
  CHECK_FALSE(same_attrs(first, second));
  Attrs third = second;
  const Attrs fourth = std::move(second);
  third.set("axis", int64_t{2});
  CHECK(same_attrs(third, fourth));
  CHECK(Attrs().entries().empty());
  Attrs fifth;
  fifth.set("axis", int64_t{1});
  CHECK(same_attrs(fifth, first));
}

TEST_CASE("user counts count nodes and outputs", "[graph]") {
  GraphBuilder b("", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {2}});
  const ValueId y = b.mul(x, x);
  b.output(OutputKind::Output, "y", y);
  CHECK(count_users(b.graph()) == std::vector<int32_t>{2, 1});
  CHECK(b.graph().producer(x) == -1);
  CHECK(b.graph().defining_node(y)->kind == OpKind::Mul);
}

TEST_CASE("copying every node keeps the graph", "[graph]") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Graph graph = testing::random_graph(seed, {.discontinuous = true});
    Rewriter rewriter(graph);
    for (const Node& node : graph.nodes()) rewriter.copy(node);
    const Graph copy = std::move(rewriter).finish();
    const auto wrapped = [](const Graph& g) {
      return Attrs{{"body", BodyRef(std::make_shared<const Graph>(g))}};
    };
    CHECK(same_attrs(wrapped(graph), wrapped(copy)));
    REQUIRE(copy.nodes().size() == graph.nodes().size());
    for (size_t i = 0; i < copy.nodes().size(); ++i)
      CHECK(copy.nodes()[i].origin == graph.nodes()[i].origin);
  }
}

TEST_CASE("a replaced value is read instead of the old one", "[graph]") {
  GraphBuilder b("", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {2}});
  b.output(OutputKind::Output, "y", b.neg(b.neg(x)));
  const Graph graph = std::move(b).build();
  Rewriter rewriter(graph);
  CHECK_THROWS_AS(rewriter.map(graph.nodes()[0].results[0]), InternalError);
  rewriter.copy(graph.nodes()[0]);
  rewriter.replace(graph.nodes()[1].results[0], rewriter.map(x));
  const Graph rewritten = std::move(rewriter).finish();
  CHECK(rewritten.outputs()[0].value == Graph::input_value(0));
}

TEST_CASE("random graphs are legal, reproducible and evaluate", "[graph]") {
  std::vector<int> kinds(std::size(kAllOpKinds), 0);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    const testing::RandomGraphOptions options{.discontinuous = seed % 2 == 0, .with_loss = true};
    const Graph graph = testing::random_graph(seed, options);
    verify(graph, "");
    for (const Node& node : graph.nodes()) ++kinds[static_cast<size_t>(node.kind)];
    const std::vector<Tensor> inputs = testing::random_inputs(graph, seed);
    const std::vector<Tensor> first = interpret(graph, inputs);
    const std::vector<Tensor> again = interpret(testing::random_graph(seed, options), inputs);
    REQUIRE(first.size() == graph.outputs().size());
    for (size_t i = 0; i < first.size(); ++i) {
      CHECK(first[i].type() == graph.type(graph.outputs()[i].value));
      CHECK(same_bits(first[i], again[i]));
    }
  }
  for (OpKind kind : kAllOpKinds) {
    if (op_class(kind) == OpClass::Region || op_class(kind) == OpClass::Meta) continue;
    INFO(op_info(kind).name);
    CHECK(kinds[static_cast<size_t>(kind)] > 0);
  }
}

TEST_CASE("the interpreter shows every value once and runs bodies", "[graph]") {
  GraphBuilder b("", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {2}});
  const ValueId y = b.add(OpKind::Group, {x},
                          {{"kind", std::string("loop")},
                           {"body", BodyRef(std::make_shared<const Graph>(doubled_body()))},
                           {"reason", std::string()}});
  b.output(OutputKind::Output, "y", y);
  b.output(OutputKind::Output, "x", x);
  std::vector<uint32_t> seen;
  const std::vector<Tensor> inputs = {testing::tensor(DType::F32, {1, 3})};
  const std::vector<Tensor> outputs = interpret(
      b.graph(), inputs, [&](ValueId value, const Tensor&) { seen.push_back(index(value)); });
  CHECK(seen == std::vector<uint32_t>{0, 1});
  CHECK(outputs[0].at(1) == 6);
  CHECK(same_bits(outputs[1], inputs[0]));
  CHECK_THROWS_AS(interpret(b.graph(), {}), InternalError);
}

TEST_CASE("widening turns floats into f64 and keeps the draws", "[graph]") {
  GraphBuilder b("", GraphMode::Run);
  const ValueId x = b.input(InputKind::Parameter, "x", {DType::F32, {2}});
  const ValueId seed = b.input(InputKind::Seed, "seed", {DType::I64, {}});
  const ValueId step = b.input(InputKind::Step, "step", {DType::I64, {}});
  const ValueId draw = b.add(OpKind::Random, {seed, step},
                             {{"shape", Ints{2}}, {"dtype", DType::F32}, {"stream", int64_t{4}}});
  const ValueId group = b.add(OpKind::Group, {x},
                              {{"kind", std::string("loop")},
                               {"body", BodyRef(std::make_shared<const Graph>(doubled_body()))},
                               {"reason", std::string()}});
  b.output(OutputKind::Output, "y", b.add(b.mul(group, draw), b.fill_like(x, 0.1)));
  b.output(OutputKind::Output, "draw", draw);
  b.output(OutputKind::Output, "converted", b.convert(b.convert(x, DType::I32), DType::F32));
  b.output(OutputKind::Output, "rounded", b.convert(b.fill_like(x, 0.1), DType::BF16));
  const Graph narrow = std::move(b).build();
  const Graph wide = widen(narrow);
  verify(wide, "after widen");
  for (size_t i = 0; i < wide.value_count(); ++i) {
    const Node* node = wide.defining_node(static_cast<ValueId>(i));
    if (node != nullptr && node->kind == OpKind::Random) continue;
    const DType dtype = wide.type(static_cast<ValueId>(i)).dtype;
    CHECK((dtype == DType::F64 || !is_float(dtype)));
  }
  Tensor counter(DType::I64, Shape{});
  counter.set(0, 3);
  const auto narrow_out =
      interpret(narrow, std::vector{testing::tensor(DType::F32, {1.5, 2}), counter, counter});
  const auto wide_out =
      interpret(wide, std::vector{testing::tensor(DType::F64, {1.5, 2}), counter, counter});
  for (int64_t i = 0; i < 2; ++i) {
    CHECK(wide_out[1].at(i) == narrow_out[1].at(i));
    CHECK(wide_out[0].at(i) == Approx(narrow_out[0].at(i)).epsilon(1e-6));
    CHECK(wide_out[3].at(i) == static_cast<double>(0.1F));
  }
  CHECK(wide_out[2].dtype() == DType::F64);
}

}  // namespace gradc
