// Every op: documented, evaluated on random cases of every dtype, listed in docs/ir.md.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "ir/verify.h"
#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

constexpr std::string_view kBegin = "<!-- ops: written by the test of the op table -->\n";
constexpr std::string_view kEnd = "<!-- end of ops -->\n";

std::string_view class_title(OpClass op_class) {
  switch (op_class) {
    case OpClass::Elementwise:
      return "Elementwise";
    case OpClass::Movement:
      return "Movement";
    case OpClass::Reduction:
      return "Reduction";
    case OpClass::Contraction:
      return "Contraction";
    case OpClass::Window:
      return "Window";
    case OpClass::Index:
      return "Index";
    case OpClass::Ordered:
      return "Ordered";
    case OpClass::Leaf:
      return "Leaf";
    case OpClass::Random:
      return "Random";
    case OpClass::Region:
      return "Region";
    case OpClass::Meta:
      return "Meta";
  }
  return "";
}

std::string_view kind_title(AttrKind kind) {
  switch (kind) {
    case AttrKind::Bool:
      return "bool";
    case AttrKind::Int:
      return "int";
    case AttrKind::Float:
      return "float";
    case AttrKind::String:
      return "string";
    case AttrKind::Ints:
      return "ints";
    case AttrKind::DType:
      return "dtype";
    case AttrKind::Tensor:
      return "tensor";
    case AttrKind::Body:
      return "graph";
  }
  return "";
}

/// "add(a, b)", "concat(a, ...)".
std::string signature(const OpInfo& info) {
  std::vector<std::string> operands;
  for (int i = 0; i < info.min_operands; ++i) operands.emplace_back(1, static_cast<char>('a' + i));
  if (info.max_operands < 0) operands.emplace_back("...");
  return fmt::format("{}({})", info.name, fmt::join(operands, ", "));
}

std::string op_row(const OpDef& def) {
  std::vector<std::string> attrs;
  for (const AttrSpec& spec : def.attrs)
    attrs.push_back(fmt::format("`{}`: {}", spec.name, kind_title(spec.kind)));
  std::string doc(def.info.doc);
  for (size_t at = 0; (at = doc.find('|', at)) != std::string::npos; at += 2) doc.insert(at, "\\");
  return fmt::format("| `{}` | {} | {} |\n", signature(def.info), fmt::join(attrs, ", "), doc);
}

std::string op_tables() {
  std::string text;
  std::optional<OpClass> current;
  for (OpKind kind : kAllOpKinds) {
    const OpDef& def = op_def(kind);
    if (current != def.info.op_class)
      text += fmt::format("\n### {}\n\n| op | attributes | meaning |\n| --- | --- | --- |\n",
                          class_title(def.info.op_class));
    current = def.info.op_class;
    text += op_row(def);
  }
  return text + "\n";
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("every op is named, documented and in its own row", "[ops]") {
  std::set<std::string_view> names;
  for (OpKind kind : kAllOpKinds) {
    const OpDef& def = op_def(kind);
    INFO(def.info.name);
    CHECK(def.kind == kind);
    CHECK(parse_op_kind(def.info.name) == kind);
    CHECK(names.insert(def.info.name).second);
    CHECK(def.info.doc.size() > 3);
    CHECK(def.info.doc.back() == '.');
    CHECK((def.info.max_operands < 0 || def.info.min_operands <= def.info.max_operands));
    CHECK(def.infer != nullptr);
    CHECK(def.eval != nullptr);
    CHECK(def.info.max_ulp <= 4);
  }
  CHECK(!parse_op_kind("no_such_op"));
}

TEST_CASE("every op evaluates to its inferred types on every dtype", "[ops]") {
  for (OpKind kind : kAllOpKinds)
    for (DType dtype : kAllDTypes) {
      if (!testing::takes_dtype(kind, dtype)) continue;
      for (uint64_t seed = 0; seed < 12; ++seed) {
        INFO(op_info(kind).name << " of " << name(dtype) << " seed " << seed);
        const testing::OpCase op_case = testing::random_op_case(kind, seed, dtype, 200);
        const Graph graph = testing::single_node_graph(kind, op_case);
        verify(graph, "");
        if (kind == OpKind::Gradient) continue;
        const std::vector<Tensor> results = interpret(graph, op_case.operands);
        for (size_t i = 0; i < results.size(); ++i)
          CHECK(results[i].type() == graph.type(graph.outputs()[i].value));
        const std::vector<Tensor> again = interpret(graph, op_case.operands);
        for (size_t i = 0; i < results.size(); ++i) CHECK(same_bits(results[i], again[i]));
      }
    }
}

TEST_CASE("evaluation leaves its operands alone", "[ops]") {
  for (OpKind kind : kAllOpKinds) {
    if (!testing::takes_dtype(kind, DType::F32) || kind == OpKind::Gradient) continue;
    const testing::OpCase op_case = testing::random_op_case(kind, 5, DType::F32);
    std::vector<Tensor> copies;
    for (const Tensor& operand : op_case.operands) copies.push_back(operand.clone());
    testing::run_op(kind, op_case.operands, op_case.attrs);
    for (size_t i = 0; i < copies.size(); ++i) CHECK(same_bits(copies[i], op_case.operands[i]));
  }
}

TEST_CASE("docs/ir.md lists the ops as they are", "[ops][docs]") {
  const std::string path = std::string(GRADC_SOURCE_DIR) + "/docs/ir.md";
  const std::string page = read_file(path);
  const size_t begin = page.find(kBegin);
  const size_t end = page.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::string expected =
      page.substr(0, begin + kBegin.size()) + op_tables() + page.substr(end);
  if (std::getenv("BLESS") != nullptr) std::ofstream(path) << expected;
  CHECK(read_file(path) == expected);
}

}  // namespace gradc
