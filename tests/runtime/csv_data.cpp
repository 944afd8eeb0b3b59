// CSV files: dtypes, quotes, categories, and faults with their places.

#include "runtime/data/load.h"
#include "tests/runtime/scratch_folder.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

std::string error_in(const std::string& bytes, DataSource source = {"csv", "", {}}) {
  const ScratchFolder folder;
  source.path = folder.write("a.csv", bytes);
  return error_of([&] { load_data(source); });
}

std::vector<double> elements(const Field& field) {
  std::vector<double> values;
  for (int64_t i = 0; i < field.values.size(); ++i) values.push_back(field.values.at(i));
  return values;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("csv: dtypes follow the numbers, quotes and line ends are those of RFC 4180") {
  const ScratchFolder folder;
  const std::string path = folder.write("a.csv",
                                        "\xEF\xBB\xBFid, \"big, \"\"one\"\"\" ,real,note\r\n"
                                        "1,5000000000,0.5,\"two\nlines, and a comma\"\r\n"
                                        "\r\n"
                                        "-2,7,1e3,x\r\n"
                                        " +3 ,8,-.25,\"\"\"\"");
  const DataSplit split = load_data({"csv", path});
  CHECK_FALSE(split.test);
  REQUIRE(split.train.fields.size() == 3);  // the note is text and left out
  CHECK(to_string(split.train.find("id")->values.type()) == "i32[3]");
  CHECK(to_string(split.train.find("big, \"one\"")->values.type()) == "i64[3]");
  CHECK(to_string(split.train.find("real")->values.type()) == "f32[3]");
  CHECK(elements(*split.train.find("id")) == std::vector<double>{1, -2, 3});
  CHECK(elements(*split.train.find("real")) == std::vector<double>{0.5, 1000, -0.25});
  CHECK(split.train.find("big, \"one\"")->values.span<int64_t>()[0] == 5000000000);
}

TEST_CASE("csv: a column takes the dtype the model wants where every value fits") {
  const ScratchFolder folder;
  const std::string path = folder.write("a.csv", "a,b,c\n1,2,3.5\n0,200,4\n");
  DataSource source{"csv", path};
  source.wanted = {{"a", DType::F64}, {"b", DType::U8}, {"c", std::nullopt}};
  const DataSplit split = load_data(source);
  CHECK(split.train.find("a")->values.dtype() == DType::F64);
  CHECK(split.train.find("b")->values.dtype() == DType::U8);
  CHECK(split.train.find("c")->values.dtype() == DType::F32);
  source.wanted = {{"a", DType::Bool}, {"b", DType::I32}, {"c", DType::I32}};
  CHECK_THAT(error_of([&] { load_data(source); }),
             StartsWith("1 E0916") && Contains("a.csv:2:5: `c` is 3.5") && Contains("i32"));
  source.wanted = {{"b", DType::Bool}};
  CHECK_THAT(error_of([&] { load_data(source); }), Contains("a.csv:2:3: `b` is 2"));
  source.wanted = {{"c", DType::F16}};
  folder.write("a.csv", "c\n1\n1e30\n");
  CHECK_THAT(error_of([&] { load_data(source); }), Contains("a.csv:3:1: `c` is 1e30"));
}

TEST_CASE("csv: categories are numbered by the training rows, sorted; 0 is not seen") {
  const ScratchFolder folder;
  std::string bytes = "city,row\n";
  for (int row = 0; row < 40; ++row) bytes += fmt::format("c{},{}\n", 39 - row, row);
  const DataSource source{
      "csv", folder.write("a.csv", bytes), {{"categories", Names{"city"}}, {"test", 0.25}}};
  const DataSplit split = load_data(source);
  REQUIRE(split.train.rows() == 30);
  REQUIRE(split.test->rows() == 10);
  const Field& city = *split.train.find("city");
  REQUIRE(city.categories.size() == 31);
  CHECK(std::is_sorted(city.categories.begin() + 1, city.categories.end()));
  for (int64_t i = 0; i < 30; ++i)
    CHECK(city.categories[static_cast<size_t>(city.values.at(i))] ==
          fmt::format("c{}", 39 - split.train.find("row")->values.at(i)));
  for (double code : elements(*split.test->find("city"))) CHECK(code == 0);
  // Who is held out does not change from run to run.
  CHECK(same_bits(load_data(source).test->find("row")->values, split.test->find("row")->values));
}

TEST_CASE("csv: features are columns side by side") {
  const ScratchFolder folder;
  const DataSource source{
      "csv", folder.write("a.csv", "y,x1,x0\n1,2,3\n4,5,6.5\n"), {{"features", Names{"x0", "x1"}}}};
  const DataSplit split = load_data(source);
  const Field& features = *split.train.find("features");
  CHECK(to_string(features.values.type()) == "f32[2, 2]");
  CHECK(elements(features) == std::vector<double>{3, 2, 6.5, 5});
  const DataDescription described = describe_data(source);
  CHECK(described.fields.back().name == "features");
  CHECK(described.train_rows == 2);
}

TEST_CASE("csv: faults are named with file, line and column") {
  CHECK_THAT(error_in(""), StartsWith("1 E0916") && Contains("a.csv:1:1: there is no header"));
  CHECK_THAT(error_in("a,,b\n1,2,3\n"), Contains("a.csv:1:3") && Contains("without a name"));
  CHECK_THAT(error_in("a,b,a\n1,2,3\n"), Contains("a.csv:1:5") && Contains("twice"));
  CHECK_THAT(error_in("a,b\n1,2\n3\n"), Contains("a.csv:3:1") && Contains("after 1 cells"));
  CHECK_THAT(error_in("a,b\n1,2,3\n"), Contains("a.csv:2:5") && Contains("after 3 cells"));
  CHECK_THAT(error_in("a\n\"1\n2\n"), Contains("a.csv:2:1") && Contains("not closed"));
  CHECK_THAT(error_in("a\n\"1\"2\n"), Contains("a.csv:2:4") && Contains("after closing quotes"));
  CHECK_THAT(error_in("a,b\n1,2\n3,\n"), Contains("a.csv:3:3: `b` is missing"));
  CHECK_THAT(error_in("a,b\n1,2\nNA,4\n"), Contains("a.csv:3:1: `a` is missing"));
  CHECK_THAT(error_in("a,b\n1,2\n\"x\ny\",4\n3,inf\n"), Contains("a.csv:5:3: `b` is inf"));
  CHECK_THAT(error_in("a\n"), StartsWith("1 E0915") && Contains("no rows"));
  CHECK_THAT(error_in("a\nx\n"), Contains("a.csv:1:1") && Contains("no column holds numbers"));
  DataSource wants{"csv", ""};
  wants.wanted = {{"a", DType::F32}};
  CHECK_THAT(error_in("a\n1\nx\xff\n", wants),
             Contains("a.csv:3:1: `a` is `x\\xff`, no number") && Contains("categories"));
  CHECK(error_in("a,b\n1,\n2,3\n", wants).empty());  // b is not read
  CHECK_THAT(error_in("a\nx\n", {"csv", "", {{"categories", Names{"q"}}}}),
             StartsWith("1 E0910") && Contains("`q`") && EndsWith("it has: a"));
  CHECK_THAT(error_in("a\n1\n", {"csv", "", {{"test", 0.2}}}), StartsWith("1 E0915"));
  CHECK_THAT(error_in("a\n1\n", {"csv", "", {{"categories", 3.0}}}), Contains("a list of strings"));
}
