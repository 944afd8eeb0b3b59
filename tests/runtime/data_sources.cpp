// Data by name, MNIST folders, fields and their checks.
#include "runtime/data/load.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <numeric>

#include "runtime/data/mnist.h"
#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string images(int count, int side = 2) {
  std::string bytes{'\0', '\0', '\x08', '\x03'};
  for (int dim : {count, side, side})
    bytes += std::string{'\0', '\0', '\0', static_cast<char>(dim)};
  for (int i = 0; i < count * side * side; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string labels(int count) {
  std::string bytes{'\0', '\0', '\x08', '\x01', '\0', '\0', '\0', static_cast<char>(count)};
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

std::vector<int64_t> class_counts(const Dataset& dataset) {
  std::vector<int64_t> counts(10);
  for (uint8_t label : dataset.find("label")->values.span<uint8_t>()) ++counts.at(label);
  return counts;
}

/// Empty where the machine does not have it.
std::string mnist_folder() {
  const char* shared = std::getenv("GRADC_DATA");
  const std::filesystem::path root =
      shared != nullptr ? std::filesystem::path(shared)
                        : std::filesystem::path(GRADC_SOURCE_DIR) / "../shared/data";
  return is_mnist_folder((root / "mnist").string()) ? (root / "mnist").string() : std::string();
}

}  // namespace

TEST_CASE("data argument: built-in names first, then paths") {
  const ScratchFolder folder;
  CHECK(parse_data_source("digits") == DataSource{"digits", ""});
  CHECK(parse_data_source("xor") == DataSource{"xor", ""});
  CHECK_THAT(error_of([] { parse_data_source("digit"); }),
             StartsWith("5 E0911") && Contains("digits, xor, fizzbuzz"));
  CHECK_THAT(error_of([&] { parse_data_source(folder.path()); }),
             StartsWith("1 E0910") && Contains("MNIST"));
  CHECK_THAT(error_of([&] { parse_data_source(folder.write("a.bin", "hello")); }),
             StartsWith("1 E0910"));
  folder.write("train-labels-idx1-ubyte.gz", "");
  CHECK(parse_data_source(folder.path()) == DataSource{"mnist", folder.path()});
}

TEST_CASE("data sources: the kind and its path must go together") {
  CHECK_THAT(error_of([] { load_data({"digitz", ""}); }), StartsWith("1 E0910"));
  CHECK_THAT(error_of([] { load_data({"xor", "/tmp"}); }), Contains("takes no path"));
  CHECK_THAT(error_of([] { load_data({"mnist", ""}); }), Contains("needs the path"));
}

TEST_CASE("data sources: a call and its text are the same") {
  for (const std::string text :
       {R"(csv("a \"b\" \\c.csv", categories = ["x", "y, z"], test = 0.25))", R"(text("t.txt"))",
        R"(text("t.txt", stride = 4, window = 129))", R"(npz("f", flag = true))", "digits"}) {
    INFO(text);
    CHECK(to_text(text == "digits" ? DataSource{"digits", ""} : parse_data_call(text)) == text);
  }
  const DataSource source = parse_data_call(R"( csv ( test=1e-1 , "a\nb", categories=[] ) )");
  CHECK(source.kind == "csv");
  CHECK(source.path == "a\nb");
  CHECK(source.number("test", 0) == 0.1);
  CHECK(source.names("categories").empty());
}

TEST_CASE("data sources: calls of another form") {
  for (const std::string text :
       {"csv(", "csv(\"a)", "csv(test)", "csv(test = )", "csv(test = x)", "csv([1])",
        "csv(a = [1])", "csv(\"a\" \"b\")", "csv(\"a\", \"b\")", "csv(\"a\", t = 1, t = 2)",
        "csv(\"a\") x", "csv(\"a\", c = [\"x\"", "csv(\"\\"}) {
    INFO(text);
    CHECK_THAT(error_of([&] { parse_data_call(text); }), StartsWith("1 E0910"));
  }
  CHECK_THAT(error_of([] { parse_data_source("text(\"a\", windw = 3)"); }),
             StartsWith("1 E0910") && Contains("`windw`") && Contains("window, stride, test"));
  CHECK_THAT(error_of([] { parse_data_source("tex(\"a\")"); }), Contains("unknown data `tex`"));
  CHECK_THAT(error_of([] { parse_data_source("digits(\"a\")"); }), Contains("takes no path"));
  CHECK_THAT(error_of([] { parse_data_source("digits(n = 3)"); }), Contains("it has none"));
}

TEST_CASE("data sources: another path keeps the options of the same kind") {
  const ScratchFolder folder;
  const DataSource own = parse_data_call("text(\"x.txt\", window = 9)");
  const std::string path = folder.write("a.txt", "hello");
  CHECK(replace_data_source(own, path) == DataSource{"text", path, own.options});
  const std::string odd = folder.write("notes", "hello");
  CHECK(replace_data_source(own, odd) == DataSource{"text", odd, own.options});
  CHECK_THAT(error_of([&] { replace_data_source({}, odd); }), StartsWith("1 E0910"));
  const std::string table = folder.write("a.csv", "x\n1\n");
  CHECK(replace_data_source(own, table) == DataSource{"csv", table});
  CHECK(replace_data_source(own, "xor") == DataSource{"xor", ""});
  const std::string call = fmt::format("text(\"{}\", window = 4)", path);
  CHECK(replace_data_source(own, call).number("window", 0) == 4);
}

TEST_CASE("data sources: the table has no name twice and a summary for each") {
  for (const DataFormat& format : data_formats()) {
    CHECK(find_data_format(format.kind) == &format);
    CHECK_FALSE(format.summary.empty());
  }
}

TEST_CASE("xor: four rows, no test data") {
  const DataSplit split = load_data({"xor", ""});
  CHECK_FALSE(split.test);
  REQUIRE(split.train.rows() == 4);
  const Tensor& point = split.train.find("point")->values;
  const Tensor& target = split.train.find("target")->values;
  CHECK(to_string(point.type()) == "f32[4, 2]");
  CHECK(to_string(target.type()) == "f32[4, 1]");
  for (int64_t row = 0; row < 4; ++row) {
    CHECK(point.at(row * 2) == row / 2);
    CHECK(point.at(row * 2 + 1) == row % 2);
    CHECK(target.at(row) == (row / 2 != row % 2));
  }
}

TEST_CASE("noise fills what the model declares, and refuses where nothing is declared") {
  DataSource source = parse_data_source("noise(rows = 500)");
  source.declared = {
      {"x", {DType::F32, {3, 2}}}, {"label", {DType::U8, {}}, 7}, {"byte", {DType::U8, {2}}}};
  const Dataset data = load_data(source).train;
  CHECK(data.rows() == 500);
  CHECK(data.find("x")->row_type() == Type{DType::F32, {3, 2}});
  const auto x = data.find("x")->values.span<float>();
  CHECK(std::ranges::all_of(x, [](float value) { return value >= 0 && value < 1; }));
  CHECK(std::abs(std::accumulate(x.begin(), x.end(), 0.0) / 3000 - 0.5) < 0.05);
  const auto label = data.find("label")->values.span<uint8_t>();
  CHECK(*std::ranges::min_element(label) == 0);
  CHECK(*std::ranges::max_element(label) == 6);
  CHECK(*std::ranges::max_element(data.find("byte")->values.span<uint8_t>()) > 240);
  CHECK(describe_data(source).fields.size() == 3);
  CHECK_THAT(error_of([] { load_data(parse_data_source("noise")); }), StartsWith("1 E0910"));
}

TEST_CASE("fizzbuzz: bits, label and target agree with the rule") {
  const DataSplit split = load_data({"fizzbuzz", ""});
  REQUIRE(split.train.rows() == 923);
  REQUIRE(split.test);
  REQUIRE(split.test->rows() == 100);
  for (const auto& [dataset, first] : {std::pair(split.train, 101), std::pair(*split.test, 1)})
    for (int64_t row = 0; row < dataset.rows(); ++row) {
      const int64_t n = first + row;
      int64_t decoded = 0;
      for (int64_t bit = 0; bit < 10; ++bit)
        decoded += static_cast<int64_t>(dataset.find("bits")->values.at(row * 10 + bit)) << bit;
      CHECK(decoded == n);
      const int expected = n % 15 == 0 ? 3 : n % 5 == 0 ? 2 : n % 3 == 0 ? 1 : 0;
      CHECK(dataset.find("label")->values.at(row) == expected);
      for (int64_t category = 0; category < 4; ++category)
        CHECK(dataset.find("target")->values.at(row * 4 + category) == (category == expected));
    }
}

TEST_CASE("mnist folder: with and without test data, plain and other spelling") {
  const ScratchFolder folder;
  folder.write("train-images-idx3-ubyte", images(5));
  folder.write("train-labels.idx1-ubyte", labels(5));
  const DataSplit train_only = load_mnist(folder.path());
  CHECK_FALSE(train_only.test);
  CHECK(to_string(train_only.train.find("image")->row_type()) == "u8[2, 2]");
  CHECK(to_string(train_only.train.find("label")->row_type()) == "u8[]");
  CHECK(train_only.train.find("image")->values.at(19) == 19);
  folder.write("t10k-images-idx3-ubyte", images(3));
  folder.write("t10k-labels-idx1-ubyte", labels(3));
  CHECK(load_data({"mnist", folder.path()}).test->rows() == 3);
}

TEST_CASE("mnist folder: files that are missing or disagree") {
  const ScratchFolder folder;
  const auto error = [&] { return error_of([&] { load_mnist(folder.path()); }); };
  CHECK_THAT(error(), StartsWith("5 E0911") && Contains("train-images-idx3-ubyte"));
  folder.write("train-images-idx3-ubyte", images(5));
  CHECK_THAT(error(), StartsWith("5 E0911") && Contains("train-labels-idx1-ubyte"));
  folder.write("train-labels-idx1-ubyte", labels(4));
  CHECK_THAT(error(), StartsWith("1 E0915") && Contains("5 images") && Contains("4 labels"));
  folder.write("train-labels-idx1-ubyte", images(5));
  CHECK_THAT(error(), StartsWith("1 E0912") && Contains("[count]") && Contains("u8[5, 2, 2]"));
  folder.write("train-labels-idx1-ubyte", labels(5));
  folder.write("t10k-labels-idx1-ubyte", labels(2));
  CHECK_THAT(error(), StartsWith("5 E0911") && Contains("t10k-images-idx3-ubyte"));
  folder.write("t10k-images-idx3-ubyte", images(2, 3));
  CHECK_THAT(error(), StartsWith("1 E0915") && Contains("[2, 2]") && Contains("[3, 3]"));
  folder.write("t10k-images-idx3-ubyte", images(2).substr(0, 20));
  CHECK_THAT(error(), StartsWith("1 E0913"));
  folder.write("t10k-images-idx3-ubyte", images(0));
  folder.write("t10k-labels-idx1-ubyte", labels(0));
  CHECK_THAT(error(), StartsWith("1 E0915") && Contains("no rows"));
}

TEST_CASE("mnist folder: the archive itself has the published class counts") {
  const std::string folder = mnist_folder();
  if (folder.empty()) {
    WARN("MNIST is not here: set GRADC_DATA to a folder that has mnist/; this test was SKIPPED");
    return;
  }
  const DataSplit split = load_data(parse_data_source(folder));
  CHECK(to_string(split.train.find("image")->values.type()) == "u8[60000, 28, 28]");
  CHECK(class_counts(split.train) ==
        std::vector<int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  REQUIRE(split.test);
  CHECK(class_counts(*split.test) ==
        std::vector<int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  CHECK(split.train.find("label")->values.at(4) == 9);
  CHECK(split.test->find("label")->values.at(0) == 7);
}

TEST_CASE("check_field_range: names the first row") {
  Field label{"label", Tensor(DType::U8, {4})};
  check_field_range(label, 1);
  label.values.set(2, 10);
  label.values.set(3, 200);
  check_field_range(label, 201);
  CHECK_THAT(error_of([&] { check_field_range(label, 10); }),
             StartsWith("1 E0904") && Contains("`label`") && Contains("10 in row 2") &&
                 Contains("below 10"));
  Field token{"token", Tensor(DType::I32, {3, 5})};
  token.values.set(11, -1);
  CHECK_THAT(error_of([&] { check_field_range(token, 10); }), Contains("-1 in row 2"));
  Field wide{"wide", Tensor(DType::I64, {2})};
  wide.values.span<int64_t>()[1] = (int64_t{1} << 60) + 1;
  CHECK_THAT(error_of([&] { check_field_range(wide, 10); }), Contains("1152921504606846977"));
  check_field_range({"weight", Tensor(DType::F32, {3})}, 0);
}
