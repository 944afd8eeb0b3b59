// What random programs have found, once more: tests/golden/found/*.graph, each with its inputs, as
// the soak test prints them.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/soak/examine_sample.h"

#include <catch2/catch.hpp>

using namespace gradc::testing;
namespace fs = std::filesystem;

TEST_CASE("graphs that once went wrong go right through every pass and as code") {
  size_t count = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(GRADC_SOURCE_DIR) / "tests/golden/found")) {
    if (entry.path().extension() != ".graph") continue;
    INFO(entry.path().filename());
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    for (const Fault& fault :
         examine(parse_sample(text.str(), entry.path().filename()), Thoroughness::Full))
      FAIL_CHECK(fault.where << ": " << fault.what);
    ++count;
  }
  CHECK(count > 4);
}
