// What is legal stays silent; imports and the language's own names.
#include "frontend/check_names.h"

#include <set>

#include "frontend/builtins.h"
#include "frontend/standard_library.h"
#include "test_library.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

std::string messages(const std::string& text) {
  Diagnostics diagnostics;
  read_model("t.grad", text, diagnostics);
  return render(diagnostics);
}

/// The codes of the findings in order: "E0201 W0202".
std::string codes(const std::string& text) {
  Diagnostics diagnostics;
  read_model("t.grad", text, diagnostics);
  std::string all;
  for (const Diagnostic* one : diagnostics.sorted()) all += (all.empty() ? "" : " ") + one->code;
  return all;
}

}  // namespace

TEST_CASE("three levels: library, file, local") {
  CHECK(messages("fn relu(x) => x * 2\nfn f(x) => relu(x)") == "");
  CHECK(messages("fn f(x) {\n  mean = mean(x)\n  return mean\n}") == "");
  CHECK(messages("fn f(relu) => relu(3, 4, 5)") == "");
  CHECK(messages("fn f(x) {\n  g = fn(x) => x\n  return g(x)\n}") == "");
  CHECK(codes("fn f(x) {\n  g = fn(y) { x = 3; return x + y }\n  return g(x)\n}") == "E0203");
  CHECK(codes("fn f(x, x) => x") == "E0203");
  CHECK(codes("a = 1\na = 2") == "E0203");
  CHECK(codes("import a from \"b.grad\"\na = 1") == "E0203");
}

TEST_CASE("blocks end their names; var and for") {
  CHECK(messages("fn f(x) {\n  var y = 0\n  for i in [1, 2] { t = x * i; y := y + t }\n"
                 "  for i in [3] { t = x; y := t + i }\n  return y\n}") == "");
  CHECK(codes("fn f(x) {\n  if x { t = 1 }\n  return t\n}") == "E0201");
  CHECK(codes("fn f(x) {\n  t = 1\n  if x { t = 2 }\n  return t\n}") == "E0203");
  CHECK(codes("fn f(x) {\n  for x in [1] { y = x }\n  return y\n}") == "E0203 E0201");
  CHECK(codes("fn f(x) => [x for x in [1]]") == "E0203");
}

TEST_CASE("signatures bind dimensions") {
  CHECK(messages("fn f(x: float[..., in], w: float[in, 3 * units], b: float[units]) "
                 "-> float[..., units] => x @ w + b + in + units") == "");
  CHECK(messages("fn f(x: float[size + 1, _, _]) => reshape(x, [..., size])") == "");
  CHECK(messages("fn f(x: dtype[n], dtype = f32) { y: dtype[n] = x; return y }") == "");
  CHECK(messages("width = 3\nfn f(x: float[width * n]) => x") == "");
  CHECK(codes("layer f(x: float[n]) { param w: float[n, m] = zeros; return x @ w }") == "E0201");
}

TEST_CASE("paths begin with a name of the definition or a callee") {
  CHECK(messages("model m(x: f32[n, 3]) {\n  var y = x\n"
                 "  for block in range(2) { y := dense(y, 3) }\n"
                 "  output z = y @ block.0.dense.kernel + dense.kernel\n}") == "");
  CHECK(codes("model m(x: f32[n, 3]) {\n  output z = x @ blok.0.kernel\n}") == "E0201");
}

TEST_CASE("scans carry and collect") {
  CHECK(messages("fn f(x: float[batch, time]) {\n  scan t in x, axis = 1 {\n"
                 "    carry h = zeros([batch])\n    h := h + t\n    collect all = h\n  }\n"
                 "  return [h, all]\n}") == "");
}

TEST_CASE("imports that are known are checked like the file's own names") {
  Diagnostics diagnostics;
  const auto other = parse(Source::make("o.grad", "fn scale(x, by: float) => x * by"), diagnostics);
  const auto file = parse(
      Source::make("t.grad", "import scale from \"o.grad\"\nfn f(x) => scale(x, by = 2, of = 3)"),
      diagnostics);
  NameScope scope;
  scope.library = test_library();
  scope.imports.push_back({"scale", &other->items[0]});
  scope.imports_known = true;
  check_names(*file, scope, diagnostics);
  REQUIRE(diagnostics.error_count() == 1);
  CHECK(diagnostics.sorted()[0]->code == "E0302");
}

TEST_CASE("an unread statement does not make its names unknown") {
  CHECK(codes("fn f(x) {\n  a = x +* 3\n  [b, c] = (x\n  return a + b + c + d\n}") ==
        "E0101 E0102 E0201");
  CHECK(codes("fn broken(x { }\nfn f(x) => broken(x)") == "E0101");
}

TEST_CASE("many definitions and long chains of uses are checked in bounded time") {
  std::string chain = "fn link0(x) => x\n";
  for (int i = 1; i < 20'000; ++i)
    chain += "fn link" + std::to_string(i) + "(x) => link" + std::to_string(i - 1) + "(x)\n";
  CHECK(messages(chain) == "");
  std::string clique;
  for (int i = 0; i < 300; ++i) {
    clique += "fn g" + std::to_string(i) + "(x) => [";
    for (int j = 0; j < 300; ++j) clique += "g" + std::to_string(j) + ", ";
    clique += "x]\n";
  }
  CHECK(messages(clique).find("at least 20 errors") != std::string::npos);
  std::string locals = "fn f(x) {\n";
  for (int i = 0; i < 50'000; ++i) locals += "  v" + std::to_string(i) + " = x\n";
  CHECK(messages(locals + "  return x\n}").find("20 warnings") != std::string::npos);
}

TEST_CASE("the built-in names are listed once, with distinct parameters") {
  std::set<std::string> names;
  for (const BuiltinSignature& signature : builtin_signatures()) {
    CHECK(names.insert(std::string(signature.name)).second);
    CHECK(find_builtin(signature.name) == &signature);
    CHECK_FALSE(signature.doc.empty());
    std::set<std::string_view> parameters;
    bool has_default = false;
    for (const BuiltinParameter& parameter : signature.parameters) {
      CHECK(parameters.insert(parameter.name).second);
      CHECK((parameter.has_default || !has_default));
      has_default = parameter.has_default;
    }
  }
  CHECK(signature_text(*find_builtin("sum")) == "sum(x, axis = none, keep = false)");
  CHECK(signature_text(*find_builtin("pi")) == "pi");
  CHECK(find_builtin("dense") == nullptr);
}

TEST_CASE("the library has neither errors nor warnings") {
  NameScope scope;
  Diagnostics diagnostics;
  for (const SourceText& text : standard_library())
    scope.library.push_back(parse(Source::make(text.name, text.text, true), diagnostics));
  REQUIRE_FALSE(scope.library.empty());
  for (const auto& file : scope.library) check_names(*file, scope, diagnostics);
  CHECK(render(diagnostics) == "");
}
