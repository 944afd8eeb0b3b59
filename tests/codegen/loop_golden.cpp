// Golden loop kernels: tests/golden/loops/NAME.graph, fused and lowered to NAME.loops. BLESS=1
// rewrites them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codegen/lower_group.h"
#include "ir/text.h"
#include "passes/fuse.h"

#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The loops of every group, with the operands and results that may share memory.
std::string loops_of(const Graph& fused) {
  std::string text;
  size_t count = 0;
  for (const Node& node : fused.nodes()) {
    if (node.kind != OpKind::Group) continue;
    text += fmt::format("# {}: {}\n", node.attrs.get<std::string>("kind"),
                        node.attrs.get<std::string>("reason"));
    const LoweredGroup group =
        lower_group(*node.attrs.get<BodyRef>("body"), fmt::format("k{}", count++));
    for (const GroupKernel& kernel : group.kernels) text += loop::print(kernel.kernel);
    for (const auto& [operand, result] : group.in_place)
      text += fmt::format("# result {} may take the memory of operand {}\n", result, operand);
  }
  return text;
}

}  // namespace

TEST_CASE("groups are lowered to the golden loops") {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::directory_iterator(fs::path(GRADC_SOURCE_DIR) / "tests/golden/loops"))
    if (entry.path().extension() == ".graph") paths.push_back(entry.path());
  REQUIRE(paths.size() >= 6);
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    INFO(path.filename());
    const Module module = parse_module(read(path), path.filename());
    std::string loops;
    for (const Graph& graph : module.graphs) loops += loops_of(fuse(graph));
    const fs::path expected = fs::path(path).replace_extension(".loops");
    if (std::getenv("BLESS") != nullptr) std::ofstream(expected, std::ios::binary) << loops;
    CHECK(loops == read(expected));
  }
}
