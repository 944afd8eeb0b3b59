// The text form: exact inverse of the printer, located errors, no crash on any input.
#include "ir/text.h"

#include <chrono>
#include <limits>

#include "ir/verify.h"
#include "tests/ir/single_op.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::RandomSource;

/// The message of the error that parsing throws; empty if it does not.
std::string parse_error(const std::string& text) {
  try {
    parse_module(text, "m.graph");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::ModelOrData);
    return error.code() + " " + error.what();
  }
  return {};
}

std::string train_graph(const std::string& statements) {
  return "graph train {\n" + statements + "}\n";
}

/// A module with every kind of attribute, input and output, and a group.
Module rich_module() {
  Module module;
  module.name = "rich-module";
  module.settings = {{"epochs", int64_t{5}},
                     {"rate", 1e-3},
                     {"whole", 2.0},
                     {"tiny", 5e-324},
                     {"none", std::numeric_limits<double>::quiet_NaN()},
                     {"payload", std::bit_cast<double>(uint64_t{0xFFF8000000000123})},
                     {"far", -std::numeric_limits<double>::infinity()},
                     {"shuffle", true},
                     {"data", std::string("a \"quoted\"\\ path\n\x01\x7f \xc3\xa9")},
                     {"dtype", DType::BF16},
                     {"empty", std::vector<int64_t>{}},
                     {"lows", std::vector<int64_t>{std::numeric_limits<int64_t>::min(), 0}}};
  GraphBuilder inner("", GraphMode::Body);
  const ValueId a = inner.input(InputKind::Operand, "0", {DType::F32, {4}});
  const ValueId b = inner.input(InputKind::Operand, "1", {DType::F32, {4}});
  inner.output(OutputKind::Result, "0", inner.add(a, b));
  inner.output(OutputKind::Result, "1", inner.mul(a, b));
  const auto body = std::make_shared<const Graph>(std::move(inner).build());
  GraphBuilder builder("rich", GraphMode::Train, 4);
  const ValueId x = builder.input(InputKind::Data, "x", {DType::F32, {4}});
  builder.input(InputKind::Data, "label", {DType::U8, {4}}, 10);
  const ValueId w = builder.input(InputKind::Parameter, "w", {DType::F32, {4}});
  builder.input(InputKind::Slot, "w:average", {DType::F32, {4}});
  builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", 3, 7, "gradient of w"}));
  const std::vector<ValueId> results = builder.add_node(
      OpKind::Group, {x, w},
      {{"kind", std::string("loop")}, {"body", BodyRef(body)}, {"reason", std::string()}});
  builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", 4, 1, ""}));
  builder.output(OutputKind::Parameter, "w", results[0]);
  builder.output(OutputKind::Output, "p", builder.neg(results[1]));
  module.graphs.push_back(std::move(builder).build());
  module.graphs.push_back(GraphBuilder("", GraphMode::Predict).build());
  return module;
}

}  // namespace

TEST_CASE("a module is printed as documented and parses back", "[text]") {
  const Module module = rich_module();
  const std::string text = print(module);
  const Module parsed = parse_module(text, "m.graph");
  CHECK(print(parsed) == text);
  CHECK(same_attrs(parsed.settings, module.settings));
  CHECK(text.find("graph file \"rich-module\"\nsetting epochs = 5\nsetting rate = 0.001\n") == 0);
  CHECK(text.find("setting whole = 2.0\n") != std::string::npos);
  CHECK(text.find("  %1 = input data \"label\" limit=10 : u8[4]\n") != std::string::npos);
  CHECK(text.find("  %6 = neg(%5) : f32[4] @ \"m.grad\":4:1\n") != std::string::npos);
  CHECK(text.find("  }, reason = \"\"} : f32[4], f32[4] @ \"m.grad\":3:7 \"gradient of w\"\n") !=
        std::string::npos);
  CHECK(parsed.graphs[0].rows == 4);
  CHECK(parsed.graphs[0].nodes()[0].origin->role == "gradient of w");
  CHECK(same_attrs(parsed.graphs[0].nodes()[0].attrs, module.graphs[0].nodes()[0].attrs));
}

TEST_CASE("random graphs survive printing and parsing", "[text]") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    const Graph graph =
        testing::random_graph(seed, {.discontinuous = seed % 2 == 0, .with_loss = seed % 3 == 0});
    verify(graph, "after random_graph");
    const std::string text = print(graph);
    const Module parsed = parse_module(text, "random.graph");
    REQUIRE(print(parsed.graphs.at(0)) == text);
  }
}

TEST_CASE("constants of every dtype keep every bit", "[text]") {
  RandomSource random(3);
  for (DType dtype : kAllDTypes)
    for (int64_t size : {0, 1, 16, 17, 100}) {
      GraphBuilder builder("", GraphMode::Run);
      Tensor tensor(dtype, {size});
      for (int64_t i = 0; i < tensor.size_bytes(); ++i)
        tensor.raw()[i] = static_cast<std::byte>(dtype == DType::Bool ? random.between(0, 1)
                                                                      : random.between(0, 255));
      builder.output(OutputKind::Output, "y", builder.constant(tensor));
      const std::string text = print(std::move(builder).build());
      const Module parsed = parse_module(text, "constant.graph");
      INFO(text);
      CHECK(same_bits(parsed.graphs[0].nodes()[0].attrs.get<Tensor>("value"), tensor));
      CHECK(print(parsed.graphs[0]) == text);
    }
}

TEST_CASE("special floats keep every bit", "[text]") {
  const std::vector<uint32_t> patterns = {
      0,          0x80000000, 1,          0x80000001, 0x007FFFFF, 0x7F7FFFFF, 0x7F800000,
      0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001, 0x3DCCCCCD, 0x4B800000};
  Tensor tensor(DType::F32, {static_cast<int64_t>(patterns.size())});
  for (size_t i = 0; i < patterns.size(); ++i)
    tensor.span<float>()[i] = std::bit_cast<float>(patterns[i]);
  GraphBuilder builder("", GraphMode::Run);
  builder.constant(tensor);
  const std::string text = print(std::move(builder).build());
  CHECK(text.find("(0, -0, 1e-45, -1e-45, 1.1754942e-38, 3.4028235e+38, inf, -inf, nan, "
                  "nan:ffc00000, nan:7f800001, 0.1, 16777216)") != std::string::npos);
  const Module parsed = parse_module(text, "floats.graph");
  CHECK(same_bits(parsed.graphs[0].nodes()[0].attrs.get<Tensor>("value"), tensor));
}

TEST_CASE("values may have any numbers, types and origins may be left out", "[text]") {
  const Module module = parse_module(
      "# edited by hand\ngraph predict \"g\" rows=2 { %7 = input data \"x\" : f32[2]\n"
      "%3 = neg(%7) # a comment\n output output \"y\" = %3 }",
      "m.graph");
  CHECK(module.name.empty());
  CHECK(print(module.graphs[0]) ==
        "graph predict \"g\" rows=2 {\n  %0 = input data \"x\" : f32[2]\n"
        "  %1 = neg(%0) : f32[2]\n  output output \"y\" = %1\n}\n");
}

TEST_CASE("graph texts are recognized by their first word", "[text]") {
  CHECK(is_graph_text("\n  # comment\n graph file x"));
  CHECK(is_graph_text("graph train {"));
  CHECK(!is_graph_text("graphs"));
  CHECK(!is_graph_text("model graph"));
  CHECK(!is_graph_text(""));
  CHECK(!is_graph_text("\"graph"));
}

TEST_CASE("errors of the text are located", "[text]") {
  const std::string x = "%0 = input data \"x\" : f32[2, 3]\n";
  CHECK(parse_error("model x") == "E0110 m.graph:1:1: a graph file starts with `graph`");
  CHECK(parse_error("graph training {}") == "E0110 m.graph:1:7: `training` is no graph mode");
  CHECK(parse_error(train_graph("%0 = negate(%1)\n")) == "E0110 m.graph:2:6: `negate` is no op");
  CHECK(parse_error(train_graph(x + "%1 = neg(%2)\n")) == "E0110 m.graph:3:10: %2 is not defined");
  CHECK(parse_error(train_graph(x + "%0 = neg(%0)\n")) == "E0110 m.graph:3:1: %0 is defined twice");
  CHECK(parse_error(train_graph(x + "%1 = neg(%0) : f32[3, 2]\n")) ==
        "E0110 m.graph:3:1: the type is f32[2, 3], not f32[3, 2]");
  CHECK(parse_error(train_graph(x + "%1 = add(%0)\n")) ==
        "E0111 m.graph:3:6: add has 1 operands, it takes 2");
  CHECK(parse_error(train_graph(x + "%1 = sum(%0) {axis = [0]}\n")) ==
        "E0111 m.graph:3:6: sum lacks the attribute axes");
  CHECK(parse_error(train_graph(x + "%1 = sum(%0) {axes = 0}\n")) ==
        "E0111 m.graph:3:6: the attribute axes of sum has another kind");
  CHECK(parse_error(train_graph(x + "%1 = sum(%0) {axes = [2]}\n")) ==
        "E0404 m.graph:3:6: sum: axis 2 of a tensor of rank 2");
  CHECK(parse_error(train_graph(x + "%1 = neg(%0)\n" + "%2 = input data \"z\" : f32[]\n")) ==
        "E0110 m.graph:4:6: inputs come before the first node");
  CHECK(parse_error(train_graph(x + "output loss \"l\" = %0\n"))
            .find("E0111 m.graph:1:1: invariant V6 is broken") == 0);
  CHECK(parse_error("graph train {").find("E0110 m.graph:1:14: ") == 0);
}

TEST_CASE("hostile sizes are refused before memory is taken", "[text]") {
  const auto is_refused = [](const std::string& statement) {
    return !parse_error(train_graph(statement)).empty();
  };
  CHECK(is_refused("%0 = input data \"x\" : f32[99999999999999999999]\n"));
  CHECK(is_refused("%0 = input data \"x\" : f32[9223372036854775807, 9223372036854775807]\n"));
  CHECK(is_refused("%0 = input data \"x\" : f32[0, 9223372036854775807, 9223372036854775807]\n"));
  CHECK(is_refused("%0 = input data \"x\" : f32[-1]\n"));
  CHECK(is_refused("%0 = constant() {value = f32[1000000000000] (1)}\n"));
  CHECK(is_refused("%0 = constant() {value = f32[1000000000000] hex \"00\"}\n"));
  CHECK(is_refused("%0 = iota() {shape = [70368744177665], axis = 0, dtype = f32}\n"));
  CHECK(is_refused("%0 = iota() {shape = [9223372036854775807], axis = 0, dtype = f32}\n"));
  CHECK(is_refused("%4294967296 = constant() {value = f32[] (1)}\n"));
  std::string ranks = "1";
  for (int i = 0; i < 40; ++i) ranks += ", 1";
  CHECK(is_refused("%0 = input data \"x\" : f32[" + ranks + "]\n"));
  std::string nested;
  for (int i = 0; i < 100'000; ++i)
    nested += "%0 = group() {kind = \"\", reason = \"\", body = graph body {";
  CHECK(is_refused(nested));
}

TEST_CASE("mutated texts never crash", "[text][fuzz]") {
  std::vector<std::string> texts = {print(rich_module())};
  for (uint64_t seed = 0; seed < 10; ++seed)
    texts.push_back(print(testing::random_graph(seed, {.nodes = 8, .discontinuous = true})));
  const std::string marks = "%\"{}[](),=:@-0123456789aefnx. \n";
  int accepted = 0;
  for (uint64_t seed = 0; seed < 6000; ++seed) {
    RandomSource random(seed);
    std::string text = random.pick(texts);
    for (int64_t edits = random.between(1, 3); edits > 0 && !text.empty(); --edits) {
      const auto size = static_cast<int64_t>(text.size());
      const auto at = static_cast<size_t>(random.between(0, size - 1));
      const auto length = static_cast<size_t>(random.between(1, 20));
      const auto from = static_cast<size_t>(random.between(0, size - 1));
      switch (random.between(0, 4)) {
        case 0:
          text[at] = static_cast<char>(random.between(0, 255));
          break;
        case 1:
          text[at] =
              marks[static_cast<size_t>(random.between(0, static_cast<int64_t>(marks.size()) - 1))];
          break;
        case 2:
          text.erase(at, length);
          break;
        case 3:
          text.insert(at, text.substr(from, length));
          break;
        default:
          text.resize(at);
      }
    }
    try {
      const std::string printed = print(parse_module(text, "fuzz.graph"));
      CHECK(print(parse_module(printed, "fuzz.graph")) == printed);
      ++accepted;
    } catch (const Error& error) {
      INFO("seed " << seed << "\n" << text);
      CHECK(std::string(error.what()).find("fuzz.graph:") == 0);
    }
  }
  CHECK(accepted > 100);
}

TEST_CASE("thousands of nodes print and parse in no time", "[text]") {
  GraphBuilder builder("large", GraphMode::Run);
  ValueId x = builder.input(InputKind::Data, "x", {DType::F32, {128, 784}});
  for (int i = 0; i < 5000; ++i) {
    builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", i, 1, "gradient of x"}));
    x = builder.add(x, builder.add(OpKind::Tanh, {x}));
  }
  const Graph graph = std::move(builder).build();
  const auto start = std::chrono::steady_clock::now();
  const std::string text = print(graph);
  parse_module(text, "large.graph");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(seconds.count() < 2);
}

}  // namespace gradc
