// The verifier finds each broken invariant and shows where.
#include "ir/verify.h"

#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

/// x -> neg -> add -> sum, as a training graph whose parameter is updated.
Graph small_graph() {
  GraphBuilder b("small", GraphMode::Train);
  const ValueId x = b.input(InputKind::Parameter, "w", {DType::F32, {3}});
  b.set_origin(std::make_shared<const Origin>(Origin{"m.grad", 5, 2, "gradient of w"}));
  const ValueId y = b.add(b.neg(x), x);
  b.output(OutputKind::Parameter, "w", y);
  b.output(OutputKind::Loss, "loss", b.reduce(OpKind::Sum, y, {0}));
  return std::move(b).build();
}

/// Nodes are immutable to everybody else; breaking them is what this test is for.
Node& node(Graph& graph, size_t position) { return const_cast<Node&>(graph.nodes()[position]); }
Output& output(Graph& graph, size_t position) {
  return const_cast<Output&>(graph.outputs()[position]);
}
Input& input(Graph& graph, size_t position) { return const_cast<Input&>(graph.inputs()[position]); }

std::string fault(const Graph& graph) {
  try {
    verify(graph, "after breaking it");
  } catch (const InternalError& error) {
    return error.what();
  }
  return {};
}

bool breaks(const Graph& graph, const std::string& invariant) {
  const std::string text = fault(graph);
  INFO(text);
  return text.find("invariant " + invariant + " is broken in graph train \"small\"") == 0;
}

Graph group_graph(const Graph& body) {
  GraphBuilder inner("", GraphMode::Body);
  const ValueId a = inner.input(InputKind::Operand, "0", {DType::F32, {3}});
  inner.output(OutputKind::Result, "0", inner.neg(a));
  GraphBuilder b("small", GraphMode::Train);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {3}});
  b.add(OpKind::Group, {x},
        {{"kind", std::string("loop")},
         {"body", BodyRef(std::make_shared<const Graph>(std::move(inner).build()))},
         {"reason", std::string("test")}});
  Graph graph = std::move(b).build();
  node(graph, 0).attrs.set("body", BodyRef(std::make_shared<const Graph>(body)));
  return graph;
}

}  // namespace

TEST_CASE("a good graph passes", "[verify]") { CHECK(fault(small_graph()).empty()); }

TEST_CASE("V1: every value has one definition, in order", "[verify]") {
  Graph graph = small_graph();
  node(graph, 1).results[0] = node(graph, 0).results[0];
  CHECK(breaks(graph, "V1"));
  graph = small_graph();
  node(graph, 2).results.clear();
  CHECK(breaks(graph, "V1"));
}

TEST_CASE("V2: operands come first", "[verify]") {
  Graph graph = small_graph();
  node(graph, 0).operands[0] = node(graph, 1).results[0];
  CHECK(breaks(graph, "V2"));
  node(graph, 0).operands[0] = static_cast<ValueId>(999);
  CHECK(breaks(graph, "V2"));
}

TEST_CASE("V3: operand counts and attributes are the declared ones", "[verify]") {
  Graph graph = small_graph();
  node(graph, 1).operands.pop_back();
  CHECK(breaks(graph, "V3"));
  graph = small_graph();
  node(graph, 0).attrs.set("axes", std::vector<int64_t>{});
  CHECK(breaks(graph, "V3"));
  graph = small_graph();
  node(graph, 2).attrs.set("axes", int64_t{0});
  CHECK(breaks(graph, "V3"));
  graph = small_graph();
  node(graph, 2).attrs = {};
  CHECK(breaks(graph, "V3"));
}

TEST_CASE("V4: types are the inferred ones", "[verify]") {
  Graph graph = small_graph();
  const_cast<Type&>(graph.type(node(graph, 1).results[0])) = {DType::F32, {4}};
  CHECK(breaks(graph, "V4"));
  graph = small_graph();
  node(graph, 2).attrs.set("axes", std::vector<int64_t>{7});
  CHECK(breaks(graph, "V4"));
}

TEST_CASE("V5: names are unique within a kind", "[verify]") {
  Graph graph = small_graph();
  output(graph, 1) = output(graph, 0);
  CHECK(breaks(graph, "V5"));
  graph = small_graph();
  output(graph, 1).value = static_cast<ValueId>(99);
  CHECK(breaks(graph, "V5"));
  GraphBuilder b("small", GraphMode::Train);
  b.input(InputKind::Data, "x", {DType::F32, {}});
  b.input(InputKind::Parameter, "x", {DType::F32, {}});
  CHECK(fault(b.graph()).empty());
  b.input(InputKind::Data, "x", {DType::F32, {}});
  CHECK(breaks(b.graph(), "V5"));
}

TEST_CASE("V6: what is updated is an input; losses are scalars", "[verify]") {
  Graph graph = small_graph();
  input(graph, 0).name = "v";
  CHECK(breaks(graph, "V6"));
  graph.mode = GraphMode::Init;
  CHECK(fault(graph).empty());
  graph = small_graph();
  input(graph, 0).kind = InputKind::Slot;
  CHECK(breaks(graph, "V6"));
  graph = small_graph();
  output(graph, 0).value = node(graph, 2).results[0];
  CHECK(breaks(graph, "V6"));
  graph = small_graph();
  output(graph, 1).value = node(graph, 1).results[0];
  CHECK(breaks(graph, "V6"));
  graph = small_graph();
  output(graph, 1).kind = OutputKind::AccumulateSum;
  CHECK(breaks(graph, "V6"));
  graph = small_graph();
  input(graph, 0).kind = InputKind::Accumulator;
  CHECK(breaks(graph, "V6"));
}

TEST_CASE("V7: a body fits its node", "[verify]") {
  const auto body = [](GraphMode mode, InputKind kind, Type type, OutputKind result) {
    GraphBuilder b("", mode);
    const ValueId a = b.input(kind, "0", std::move(type));
    b.output(result, "0", b.neg(a));
    return std::move(b).build();
  };
  const Type type{DType::F32, {3}};
  CHECK(fault(group_graph(body(GraphMode::Body, InputKind::Operand, type, OutputKind::Result)))
            .empty());
  CHECK(breaks(group_graph(body(GraphMode::Run, InputKind::Operand, type, OutputKind::Result)),
               "V7"));
  CHECK(
      breaks(group_graph(body(GraphMode::Body, InputKind::Data, type, OutputKind::Result)), "V7"));
  CHECK(breaks(
      group_graph(body(GraphMode::Body, InputKind::Operand, {DType::F32, {4}}, OutputKind::Result)),
      "V7"));
  CHECK(breaks(group_graph(body(GraphMode::Body, InputKind::Operand, type, OutputKind::Output)),
               "V7"));
  GraphBuilder empty("", GraphMode::Body);
  CHECK(breaks(group_graph(empty.graph()), "V7"));
  empty.input(InputKind::Operand, "0", type);
  CHECK(breaks(group_graph(empty.graph()), "V7"));
  Graph broken = body(GraphMode::Body, InputKind::Operand, type, OutputKind::Result);
  node(broken, 0).operands.clear();
  CHECK(breaks(group_graph(broken), "V3"));
}

TEST_CASE("a fault is shown among its neighbours with its line", "[verify]") {
  Graph graph = small_graph();
  node(graph, 1).operands.pop_back();
  CHECK(fault(graph) ==
        "invariant V3 is broken in graph train \"small\" after breaking it: add has 1 operands, it "
        "takes 2\n"
        "    %1 = neg(%0) : f32[3] @ \"m.grad\":5:2 \"gradient of w\"\n"
        "--> %2 = add(%1) : f32[3] @ \"m.grad\":5:2 \"gradient of w\"\n"
        "    %3 = sum(%2) {axes = [0]} : f32[] @ \"m.grad\":5:2 \"gradient of w\"\n"
        "from m.grad:5:2, gradient of w");
}

}  // namespace gradc
