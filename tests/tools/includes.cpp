// Includes point one way through the pipeline, and each outside library is named in one place only.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Include {
  std::string file;    // from the root
  std::string target;  // as written
};

const std::string kRoot = GRADC_SOURCE_DIR;

std::vector<Include> includes_below(const std::string& folder) {
  static const std::regex form(R"rx(^\s*#\s*include\s*[<"]([^>"]+)[>"])rx");
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot + "/" + folder)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp" && extension != ".def") continue;
    std::ifstream in(entry.path());
    std::string line;
    std::smatch match;
    while (std::getline(in, line))
      if (std::regex_search(line, match, form))
        found.push_back({fs::relative(entry.path(), kRoot).string(), match[1]});
  }
  return found;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes)
    if (text.rfind(prefix, 0) == 0) return true;
  return false;
}

}  // namespace

TEST_CASE("includes point one way") {
  // The folders of this repository that a folder may include.
  const std::map<std::string, std::vector<std::string>> allowed = {
      {"runtime/core", {"runtime/core/"}},
      {"runtime", {"runtime/"}},
      {"ir", {"ir/", "runtime/core/"}},
      {"frontend", {"frontend/", "ir/", "runtime/core/"}},
      {"passes", {"passes/", "ir/", "runtime/core/"}},
      {"codegen", {"codegen/", "ir/", "runtime/"}},
      {"tools", {"tools/", "frontend/", "passes/", "codegen/", "ir/", "runtime/"}},
  };
  const std::vector<std::string> ours = {"runtime/", "ir/",    "frontend/", "passes/",
                                         "codegen/", "tools/", "tests/"};
  for (const auto& [folder, targets] : allowed) {
    const std::vector<Include> includes = includes_below(folder);
    CHECK(!includes.empty());
    for (const Include& include : includes)
      if (starts_with_any(include.target, ours)) {
        INFO(include.file << " includes " << include.target);
        CHECK(starts_with_any(include.target, targets));
      }
  }
}

TEST_CASE("an outside library is named in one place") {
  const std::map<std::string, std::string> place_of = {
      {"llvm/", "codegen/llvm/"},         {"oneapi/", "runtime/onednn"},
      {"dnnl", "runtime/onednn"},         {"CLI/", ""},
      {"zlib.h", "runtime/data/"},        {"png.h", "runtime/png"},
      {"Random123/", "runtime/core/rng"}, {"xxhash.h", "runtime/checksum"},
  };
  for (const std::string folder : {"runtime", "ir", "frontend", "passes", "codegen", "tools"})
    for (const Include& include : includes_below(folder))
      for (const auto& [library, place] : place_of)
        if (include.target.rfind(library, 0) == 0) {
          INFO(include.file << " includes " << include.target);
          CHECK(include.file.rfind(place, 0) == 0);
        }
}

TEST_CASE("a source with a header beside it holds no test case, for ctest runs none of it") {
  for (const auto& entry : fs::recursive_directory_iterator(kRoot + "/tests")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    INFO(entry.path());
    CHECK((text.find("\nTEST_CASE(") == std::string::npos ||
           !fs::exists(fs::path(entry.path()).replace_extension(".h"))));
  }
}
