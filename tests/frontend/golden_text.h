// Expected texts beside their inputs; BLESS=1 in the environment rewrites them.
#pragma once
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace gradc::testing {

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(GRADC_SOURCE_DIR) / "tests/golden";
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The files of a folder that end in `extension`, sorted; never empty.
inline std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                                   const std::string& extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  REQUIRE_FALSE(paths.empty());
  return paths;
}

inline void check_golden(const std::filesystem::path& path, const std::string& actual) {
  const char* bless = std::getenv("BLESS");
  if (bless && *bless == '1') std::ofstream(path, std::ios::binary) << actual;
  INFO(path.string());
  CHECK(read_text(path) == actual);
}

}  // namespace gradc::testing
