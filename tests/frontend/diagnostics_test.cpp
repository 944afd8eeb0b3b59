// Counting, order, rendering and JSON of diagnostics; the nearest names.
#include "frontend/diagnostics.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/core/did_you_mean.h"

using namespace gradc;

namespace {

Span span_of(const SourcePtr& source, const std::string& text) {
  const auto begin = static_cast<uint32_t>(source->text().find(text));
  return {source.get(), begin, begin + static_cast<uint32_t>(text.size())};
}

}  // namespace

TEST_CASE("a diagnostic shows place, line, carets, notes, calls and help") {
  const auto source = Source::make("m.grad", "model m(image: u8[4]) {\n\th = dense(é, x)\n}\n");
  Diagnostic finding = error("E0501", span_of(source, "dense(é, x)"), "`x` must be float")
                           .note("u8 comes from the input `image`", span_of(source, "image"))
                           .note("seen at {} first", span_of(source, "u8"))
                           .note("no place")
                           .with_help("flatten(image) / 255");
  for (int i = 0; i < 3; ++i)
    finding.chain.push_back({"in `dense`, called here", span_of(source, "h =")});
  CHECK(render(finding) ==
        "error[E0501] m.grad:2:6: `x` must be float\n"
        "2 |     h = dense(é, x)\n"
        "  |         ^^^^^^^^^^^\n"
        "  u8 comes from the input `image` (m.grad:1:9)\n"
        "  seen at m.grad:1:16 first\n"
        "  no place\n"
        "  in `dense`, called here (m.grad:2:2), 3 times\n"
        "  help: flatten(image) / 255\n");
  const std::string colored = render(finding, {.color = true});
  CHECK(colored.find("\x1b[1;31merror[E0501]\x1b[0m") == 0);
  CHECK(render(error("E0910", {}, "unknown key")) == "error[E0910]: unknown key\n");
}

TEST_CASE("long lines are cut to a window, and control characters do not reach the terminal") {
  const std::string text = std::string(5000, 'a') + " wrong " + std::string(5000, 'b');
  const auto source = Source::make("m.grad", text + "\n\x1b[2J \xE2\x80\xAE wrong2");
  const std::string shown =
      render(error("E0101", span_of(source, "wrong"), "no"), {.max_width = 60});
  CHECK(shown.size() < 300);
  CHECK(shown.find("…aaa") != std::string::npos);
  CHECK(shown.find("bbb…") != std::string::npos);
  CHECK(shown.find("^^^^^\n") != std::string::npos);
  const std::string safe = render(error("E0101", span_of(source, "wrong2"), "no"));
  CHECK(safe.find('\x1b') == std::string::npos);
  CHECK(safe.find("\xE2\x80\xAE") == std::string::npos);
}

TEST_CASE("a caret stands behind the end of a line and of a file") {
  const auto source = Source::make("m.grad", "ab\ncd");
  CHECK(render(error("E1", {source.get(), 2, 2}, "x")).find("1 | ab\n  |   ^\n") !=
        std::string::npos);
  CHECK(render(error("E1", {source.get(), 5, 5}, "x")).find("2 | cd\n  |   ^\n") !=
        std::string::npos);
  CHECK(render(error("E1", {source.get(), 1, 5}, "x")).find("1 | ab\n  |  ^\n") !=
        std::string::npos);
}

TEST_CASE("diagnostics are sorted, kept once, counted and limited") {
  Diagnostics diagnostics;
  {
    const auto source = Source::make("m.grad", "a b c");
    diagnostics.report(warning("W0201", span_of(source, "b"), "unused"));
    diagnostics.report(error("E0201", span_of(source, "c"), "unknown"));
    diagnostics.report(error("E0201", span_of(source, "b"), "unknown"));
    diagnostics.report(error("E0201", span_of(source, "b"), "unknown"));
  }
  // The source is kept alive by the diagnostics.
  CHECK(diagnostics.error_count() == 2);
  CHECK(diagnostics.warning_count() == 1);
  const auto sorted = diagnostics.sorted();
  REQUIRE(sorted.size() == 3);
  CHECK(sorted[0]->code == "E0201");
  CHECK(sorted[1]->code == "W0201");
  CHECK(sorted[2]->span.text() == "c");
  CHECK(render(diagnostics).ends_with("\n2 errors, 1 warning\n"));
  for (int i = 0; i < 100; ++i)
    diagnostics.report(error("E0201", {}, "number " + std::to_string(i)));
  CHECK(diagnostics.is_full());
  CHECK(diagnostics.error_count() == Diagnostics::kMaxErrors);
  CHECK(render(diagnostics).ends_with("\nat least 20 errors, 1 warning\n"));
  CHECK(render(Diagnostics()) == "");
}

TEST_CASE("a diagnostic is one JSON object a line") {
  const auto source = Source::make("m \"x\".grad", "a\n  b\\");
  Diagnostics diagnostics;
  diagnostics.report(error("E0201", span_of(source, "b\\"), "unknown `b\\`\n\xFF")
                         .note("bound here", span_of(source, "a"))
                         .with_help("h")
                         .called_from("in `f`", span_of(source, "a")));
  diagnostics.report(warning("W0201", {}, "nowhere"));
  const std::string lines = render_json(diagnostics);
  REQUIRE(std::count(lines.begin(), lines.end(), '\n') == 2);
  const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  CHECK(first["severity"] == "error");
  CHECK(first["code"] == "E0201");
  CHECK(first["file"] == "m \"x\".grad");
  CHECK(first["line"] == 2);
  CHECK(first["column"] == 3);
  CHECK(first["end_column"] == 5);
  CHECK(first["notes"][0]["line"] == 1);
  CHECK(first["chain"][0]["text"] == "in `f`");
  CHECK(first["help"] == "h");
  CHECK_FALSE(nlohmann::json::parse(lines.substr(lines.find('\n'))).contains("file"));
}

TEST_CASE("distances and the nearest name") {
  CHECK(edit_distance("dense", "dense") == 0);
  CHECK(edit_distance("actvation", "activation") == 4);
  CHECK(edit_distance("Dense", "dense") == 1);
  CHECK(edit_distance("dnese", "dense") == 4);
  CHECK(edit_distance("", "abc") == 12);
  const std::vector<std::string> names = {"dense", "conv2d", "softmax", "x", "units"};
  CHECK(did_you_mean("Dense", names) == "dense");
  CHECK(did_you_mean("sofmax", names) == "softmax");
  CHECK(did_you_mean("unit", names) == "units");
  CHECK(did_you_mean("conv3d", names) == "conv2d");
  CHECK_FALSE(did_you_mean("y", names));
  CHECK_FALSE(did_you_mean("transformer", names));
  CHECK_FALSE(did_you_mean("anything", {}));
  CHECK(nearest("convd", names, 2) == std::vector<std::string>{"conv2d", "dense"});
}
