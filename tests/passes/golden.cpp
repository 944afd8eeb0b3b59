// Golden files of the passes: tests/golden/passes/NAME.graph, whose first line "# passes: a b"
// names the passes to run (or "# stage: S"), and NAME.after, the whole output. BLESS=1 rewrites
// the outputs, and the examples that docs/passes.md quotes.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pipeline.h"

#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = GRADC_SOURCE_DIR;

bool is_blessing() { return std::getenv("BLESS") != nullptr; }

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Graph run_pass(std::string_view name, const Graph& graph) {
  for (const Pass& pass : all_passes()) {
    if (pass.name == name) return pass.run(graph);
  }
  FAIL("no pass " << name);
  return graph;
}

/// Does what the first line says to every graph.
Module run_header(const std::string& header, Module module) {
  std::istringstream words(header);
  std::string hash;
  std::string what;
  words >> hash >> what;
  REQUIRE(hash == "#");
  for (std::string word; words >> word;) {
    if (what == "stage:") {
      PipelineOptions options;
      options.verify = true;
      module = run_until(module, parse_stage(word).value(), options);
      continue;
    }
    REQUIRE(what == "passes:");
    for (Graph& graph : module.graphs) {
      graph = run_pass(word, graph);
      verify(graph, "after " + word);
    }
  }
  return module;
}

std::vector<fs::path> golden_inputs() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kSource / "tests/golden/passes")) {
    if (entry.path().extension() == ".graph") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("passes turn each golden input into its golden output") {
  for (const fs::path& path : golden_inputs()) {
    INFO(path.filename());
    const std::string text = read(path);
    const std::string header = text.substr(0, text.find('\n'));
    const Module before = parse_module(text, path.filename());
    const std::string after = print(run_header(header, before));
    const fs::path expected = fs::path(path).replace_extension(".after");
    if (is_blessing()) write(expected, after);
    CHECK(after == read(expected));
    const Module reparsed = parse_module(after, expected.filename());
    CHECK(print(reparsed) == after);
    CHECK(print(run_header(header, reparsed)) == after);
  }
}

TEST_CASE("every pass has a golden file") {
  std::string headers;
  for (const fs::path& path : golden_inputs()) {
    const std::string text = read(path);
    headers += text.substr(0, text.find('\n')) + " ";
  }
  for (const Pass& pass : all_passes()) {
    INFO(pass.name);
    CHECK(headers.find(fmt::format(" {} ", pass.name)) != std::string::npos);
    CHECK(!pass.doc.empty());
  }
}

TEST_CASE("docs/passes.md quotes the golden files and lists the passes") {
  const fs::path path = kSource / "docs/passes.md";
  const std::string text = read(path);
  const std::string marker = "<!-- golden: ";
  std::string quoted;
  size_t position = 0;
  size_t count = 0;
  for (size_t next = text.find(marker); next != std::string::npos;
       next = text.find(marker, position), ++count) {
    const size_t name_end = text.find(" -->", next);
    const std::string name = text.substr(next + marker.size(), name_end - next - marker.size());
    const size_t open = text.find("```\n", name_end) + 4;
    const size_t close = text.find("```\n", open);
    REQUIRE(close != std::string::npos);
    quoted += text.substr(position, open - position) + read(kSource / "tests/golden/passes" / name);
    position = close;
  }
  quoted += text.substr(position);
  CHECK(count >= 2 * 6);
  if (is_blessing()) write(path, quoted);
  CHECK(quoted == read(path));
  for (const Pass& pass : all_passes()) {
    INFO(pass.name);
    CHECK(text.find(fmt::format("`{}`", pass.name)) != std::string::npos);
  }
}
