// What patterns of paths select.
#include "runtime/core/path_pattern.h"

#include <catch2/catch.hpp>
#include <string>

using gradc::selects;

TEST_CASE("a pattern selects what it names and everything below") {
  CHECK(selects("backbone", "backbone"));
  CHECK(selects("backbone", "backbone.stem.kernel"));
  CHECK(selects("backbone.stem", "backbone.stem.kernel"));
  CHECK_FALSE(selects("backbone.stem", "backbone"));
  CHECK_FALSE(selects("back", "backbone"));
  CHECK_FALSE(selects("stem", "backbone.stem"));
}

TEST_CASE("a star is one segment, two are any number") {
  CHECK(selects("block.*.norm", "block.3.norm.gamma"));
  CHECK_FALSE(selects("block.*.norm", "block.norm.gamma"));
  CHECK_FALSE(selects("head.*", "head"));
  CHECK(selects("**.bias", "bias"));
  CHECK(selects("**.bias", "a.b.c.bias"));
  CHECK_FALSE(selects("**.bias", "a.bias_of"));
  CHECK(selects("a.**.b.**.c", "a.b.x.c"));
  CHECK_FALSE(selects("a.**.b.**.c", "a.x.c"));
  CHECK(selects("**", "a.b"));
  CHECK(selects("**", ""));
}

TEST_CASE("the path of the model itself is selected by nothing narrower") {
  CHECK_FALSE(selects("*", ""));
  CHECK_FALSE(selects("", "a"));
  CHECK_FALSE(selects("", ""));
  CHECK_FALSE(selects("a", ""));
}

TEST_CASE("many stars take no time") {
  std::string pattern = "**";
  std::string path = "a";
  for (int i = 0; i < 500; ++i) {
    pattern += ".**";
    path += ".a";
  }
  CHECK_FALSE(selects(pattern + ".b", path));
}
