// The groups of the benchmark workloads' training steps: tests/golden/fusion/NAME.txt. A change of
// fusion shows here as lines that differ; BLESS=1 rewrites the files.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/model.h"
#include "ir/computing_ops.h"
#include "passes/pipeline.h"

#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = GRADC_SOURCE_DIR;

std::string ops_of(const Graph& body) {
  const std::vector<std::string_view> ops = computing_ops(body);
  return ops.empty() ? "movement" : fmt::format("{}", fmt::join(ops, ", "));
}

/// One line for equal groups, where the first of them stands.
std::string groups_text(const Graph& fused, const std::string& indent) {
  std::vector<std::pair<std::string, int>> lines;
  std::string scans;
  for (const Node& node : fused.nodes()) {
    if (node.kind == OpKind::Scan) {
      const Graph& body = *node.attrs.get<BodyRef>("body");
      scans += fmt::format("{}scan of {} rounds\n{}", indent, node.attrs.integer("length"),
                           groups_text(body, indent + "  "));
    }
    if (node.kind != OpKind::Group) continue;
    const std::string line = fmt::format("{}: {}", node.attrs.get<std::string>("kind"),
                                         ops_of(*node.attrs.get<BodyRef>("body")));
    const auto known = std::find_if(lines.begin(), lines.end(),
                                    [&](const auto& entry) { return entry.first == line; });
    if (known != lines.end())
      ++known->second;
    else
      lines.emplace_back(line, 1);
  }
  std::string text;
  for (const auto& [line, count] : lines) text += fmt::format("{}{} {}\n", indent, count, line);
  return text + scans;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the training steps of the benchmark workloads have the groups they had") {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "models/bench")) {
    if (entry.path().extension() != ".grad") continue;
    INFO(entry.path());
    Diagnostics diagnostics;
    Model model = Model::read(entry.path().string(), {}, diagnostics);
    const Graph graph = model.elaborate(GraphMode::Train, model.settings().integer("batch"));
    const std::string text = groups_text(run_until(graph, Stage::Fused), "");
    const fs::path golden =
        kSource / "tests/golden/fusion" / (entry.path().stem().string() + ".txt");
    if (std::getenv("BLESS") != nullptr) {
      fs::create_directories(golden.parent_path());
      std::ofstream(golden, std::ios::binary) << text;
    }
    CHECK(text == read(golden));
    ++count;
  }
  CHECK(count == 12);
}
