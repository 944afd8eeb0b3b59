// Weights as .npz and .json: bytes and bits, other people's forms, and files that are damaged or
// lie.
#include "runtime/weights_file.h"

#include <cmath>

#include "runtime/data/npy.h"
#include "runtime/data/zip_archive.h"
#include "runtime/data/zip_writer.h"
#include "tests/runtime/scratch_folder.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

NamedTensors all_dtypes() {
  NamedTensors content;
  for (DType dtype : kAllDTypes) {
    Tensor tensor(dtype, {2, 3});
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, is_float(dtype) ? std::exp(static_cast<double>(3 * i - 7)) * (i % 2 ? -1 : 1)
                                    : static_cast<double>(dtype == DType::Bool ? i % 2 : i * 25));
    content.add(fmt::format("hidden.{}:slot", dtype), tensor);
  }
  content.add("empty", Tensor(DType::F32, {0, 7}));
  content.add("full.of.nothing", Tensor(DType::F16, {2, 0}));
  content.add("scalar", Tensor::scalar(DType::F64, -0.0));
  content.add("step", Tensor::from<int64_t>(DType::I64, {}, std::vector<int64_t>{INT64_MAX}));
  content.add("odd \" \xC3\xA9\n", Tensor::scalar(DType::Bool, 1));
  content.add("special", Tensor::from<float>(DType::F32, {6},
                                             std::vector<float>{NAN, INFINITY, -INFINITY, 1e-45F,
                                                                3.4028235e38F, 16777217.0F}));
  return content;
}

void check_same(const NamedTensors& a, const NamedTensors& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    INFO(a.tensors[i].name);
    CHECK(a.tensors[i].name == b.tensors[i].name);
    CHECK(same_bits(a.tensors[i].value, b.tensors[i].value));
  }
}

std::string zip(const ScratchFolder& folder,
                const std::vector<std::pair<std::string, std::string>>& members) {
  ZipWriter writer(folder / "made.npz");
  for (const auto& [name, bytes] : members) writer.add(name, std::as_bytes(std::span(bytes)), {});
  writer.finish();
  return folder / "made.npz";
}

std::string json_error(const std::string& text) {
  const ScratchFolder folder;
  return error_of([&] { read_weights(folder.write("w.json", text)); });
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& values) {
  return fmt::format(R"({{"a": {{"dtype": "{}", "shape": {}, "values": {}}}}})", dtype, shape,
                     values);
}

}  // namespace

TEST_CASE("weights: every dtype keeps its bits in every format") {
  const ScratchFolder folder;
  const NamedTensors content = all_dtypes();
  for (const std::string name : {"w.json", "w.npz", "w.safetensors", "w"}) {
    INFO(name);
    write_weights(folder / name, content);
    check_same(read_weights(folder / name), content);
  }
  CHECK(file_bytes(folder / "w.npz").starts_with("PK"));
  CHECK(file_bytes(folder / "w.json").starts_with("{\n\"hidden.bool:slot\": {\"dtype\": "));
  CHECK(file_bytes(folder / "w") == file_bytes(folder / "w.safetensors"));
  write_weights(folder / "none.json", {});
  write_weights(folder / "none.npz", {});
  CHECK(read_weights(folder / "none.json").tensors.empty());
  CHECK(read_weights(folder / "none.npz").tensors.empty());
}

TEST_CASE("weights: floats of json are rounded once") {
  const ScratchFolder folder;
  const auto read = [&](const std::string& text) {
    return read_weights(folder.write("w.json", text)).tensors.front().value;
  };
  // Just above the middle of two floats, where a double is the middle itself.
  CHECK(read(entry("f32", "[]", "1.00000005960464477540")).at(0) == 1.0000001192092896);
  CHECK(read(entry("f64", "[1]", "[0.1]")).at(0) == 0.1);
  CHECK(read(entry("f32", "[]", "1e-60")).at(0) == 0);
  CHECK(read(entry("i64", "[]", "9223372036854775807")).span<int64_t>()[0] == INT64_MAX);
}

TEST_CASE("weights: json of nested lists alone, with names and without") {
  const ScratchFolder folder;
  const std::string named =
      folder.write("named.json", R"({"b": [[1, 2.5], [3, -4]], "a": 7, "e": []})");
  const NamedTensors content = read_weights(named);
  CHECK(to_string(content.find("b")->type()) == "f32[2, 2]");
  CHECK(content.find("b")->at(3) == -4);
  CHECK(to_string(content.find("a")->type()) == "f32[]");
  CHECK(to_string(content.find("e")->type()) == "f32[0]");

  NamedTensors state;
  state.add("w", Tensor(DType::F64, {2, 1}));
  state.add("w:velocity", Tensor(DType::F64, {2, 1}));
  state.add("step", Tensor(DType::I64, Shape{}));
  state.add("b", Tensor(DType::F32, {1}));
  const std::string list = folder.write("list.json", "[[[0.1], [2]], [3], [4]]");
  const NamedTensors named_by_state = read_weights(list, state.tensors);
  REQUIRE(named_by_state.tensors.size() == 3);
  CHECK(named_by_state.tensors[0].name == "w");
  CHECK(named_by_state.tensors[0].value.at(0) == 0.1);
  CHECK(to_string(named_by_state.tensors[0].value.type()) == "f64[2, 1]");
  CHECK(named_by_state.tensors[1].name == "b");
  CHECK(named_by_state.tensors[2].name == "2");
  CHECK(read_weights(list).tensors[1].name == "1");
}

TEST_CASE("weights: faults of json name the file and the tensor") {
  CHECK_THAT(json_error(""), StartsWith("1 E0921") && Contains("w.json"));
  CHECK_THAT(json_error("{\"a\": [1, 2"), Contains("no valid JSON at byte"));
  CHECK_THAT(json_error("7"), Contains("object of tensors is expected"));
  CHECK_THAT(json_error("\"a\""), Contains("object of tensors is expected"));
  CHECK_THAT(json_error("{\"a\": null}"), Contains("null"));
  CHECK_THAT(json_error("{} {}"), Contains("no valid JSON"));
  CHECK_THAT(json_error("{\"a\": 1, \"a\": 2}"), Contains("`a` is given twice"));
  CHECK_THAT(json_error("{\"" + std::string(5000, 'n') + "\": 1}"), Contains("longer than"));
  for (const std::string ragged : {"[[1], [2, 3]]", "[1, [2]]", "[[1], 2]", "[[], 1]", "[[[]], []]",
                                   "[[1], []]", "[[], [[1]]]"}) {
    INFO(ragged);
    CHECK_THAT(json_error("{\"a\": " + ragged + "}"),
               StartsWith("1 E0921") && Contains("tensor `a`") && Contains("differ"));
  }
  CHECK_THAT(json_error("{\"a\": [1, \"one\"]}"), Contains("no number"));
  CHECK_THAT(json_error("{\"a\": [true]}"), Contains("no f32"));
  CHECK_THAT(json_error("{\"a\": [1e39]}"), Contains("1e39 is outside of f32"));
  CHECK_THAT(json_error("{\"a\": 1e999}"), StartsWith("1 E0921"));
  CHECK_THAT(json_error(std::string(100000, '[')), StartsWith("1 E0921") && Contains("deep"));
  CHECK_THAT(json_error("{\"a\": [{}]}"), Contains("out of place"));
}

TEST_CASE("weights: json that says more than it holds") {
  CHECK_THAT(json_error(entry("f99", "[1]", "[1]")), Contains("no dtype `f99`"));
  CHECK_THAT(json_error(entry("f32", "[2]", "[1]")), Contains("its shape is [2]"));
  CHECK_THAT(json_error(entry("f32", "[1]", "[[1]]")), Contains("its values have [1, 1]"));
  CHECK_THAT(json_error(entry("f32", "[9, 0, 9]", "[[]]")), Contains("its values have [1, 0]"));
  CHECK_THAT(json_error(entry("f32", "[-1]", "[1]")), Contains("-1 is no size"));
  CHECK_THAT(json_error(entry("f32", "[1.5]", "[1]")), Contains("1.5 is no size"));
  CHECK_THAT(json_error(entry("f32", "[[1]]", "[1]")), Contains("a size is a number"));
  for (const std::string huge :
       {"[1000]", "[4611686018427387904, 4, 4]", "[0, 4611686018427387904]"})
    CHECK_THAT(json_error(entry("f32", huge, "[1]")), Contains("larger than the file"));
  std::string many = "[1";
  for (int i = 0; i < 32; ++i) many += ", 1";
  CHECK_THAT(json_error(entry("f32", many + "]", "1")), Contains("more than 32 axes"));
  CHECK_THAT(json_error(entry("u8", "[]", "256")), Contains("256 is no u8"));
  CHECK_THAT(json_error(entry("i32", "[]", "-2147483649")), Contains("no i32"));
  CHECK_THAT(json_error(entry("i64", "[]", "9223372036854775808")), Contains("no i64"));
  CHECK_THAT(json_error(entry("i32", "[]", "1.5")), Contains("1.5 is no i32"));
  CHECK_THAT(json_error(entry("f16", "[]", "70000")), Contains("outside of f16"));
  CHECK_THAT(json_error(R"({"a": {"values": [1], "dtype": "f32", "shape": [1]}})"),
             Contains("come first"));
  CHECK_THAT(json_error(R"({"a": {"dtype": "f32", "shape": [1]}})"), Contains("no `values`"));
  CHECK_THAT(json_error(R"({"a": {"dtype": "f32", "shape": [], "values": 1, "values": 2}})"),
             Contains("twice"));
}

TEST_CASE("weights: archives that hold no weights, or too much") {
  const ScratchFolder folder;
  const std::string array = npy_header({DType::F32, Shape{2}}) + std::string(8, '\0');
  CHECK(read_weights(zip(folder, {{"a.npy", array}})).find("a")->size() == 2);
  const auto error = [&](const std::vector<std::pair<std::string, std::string>>& members) {
    return error_of([&] { read_weights(zip(folder, members)); });
  };
  CHECK_THAT(error({{"a.npy", array}, {"a.npy", array}}),
             StartsWith("1 E0921") && Contains("`a.npy` is there twice"));
  CHECK_THAT(error({{"notes.txt", "hello"}}), StartsWith("1 E0921") && Contains("notes.txt"));
  CHECK_THAT(error({{"a.npy", "hello"}}), StartsWith("1 E0912"));
  CHECK_THAT(error({{"a.npy", array.substr(0, array.size() - 1)}}), StartsWith("1 E0913"));
  CHECK_THAT(error_of([&] { read_weights(folder.write("x.npz", "PK")); }), StartsWith("1 E0917"));
  CHECK_THAT(error_of([&] { read_weights(folder / "none.npz"); }), StartsWith("5 E0911"));

  NamedTensors content;
  content.add("big", Tensor(DType::U8, {20 << 20}));
  write_weights(folder / "big.npz", content);
  NamedTensors state;
  state.add("small", Tensor(DType::F32, {10}));
  CHECK_THAT(error_of([&] { read_weights(folder / "big.npz", state.tensors); }),
             StartsWith("1 E0921") && Contains("20971520 bytes"));
  CHECK(read_weights(folder / "big.npz", content.tensors).find("big") != nullptr);
}
