// The safetensors format: exact bytes, round trips, and files that lie.
#include "runtime/safetensors.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "tests/processor_time.h"
#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

NamedTensors all_dtypes() {
  NamedTensors content;
  content.metadata = {{"format", "gradc"}, {"note", "quotes \" and \xC3\xA9"}};
  int64_t size = 1;
  for (DType dtype : kAllDTypes) {
    Tensor tensor(dtype, {size, 3});
    for (int64_t i = 0; i < tensor.size(); ++i) tensor.set(i, static_cast<double>(i % 3));
    content.add(fmt::format("hidden.{}", dtype), tensor);
    ++size;
  }
  content.add("empty", Tensor(DType::F32, {0, 7}));
  content.add("scalar", Tensor::scalar(DType::F64, -2.5));
  return content;
}

bool same(const NamedTensors& a, const NamedTensors& b) {
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i)
    if (a.tensors[i].name != b.tensors[i].name ||
        !same_bits(a.tensors[i].value, b.tensors[i].value))
      return false;
  return true;
}

std::string with_header(const std::string& json, const std::string& data = "") {
  std::string bytes(8, '\0');
  const uint64_t length = json.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + json + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     offsets);
}

}  // namespace

TEST_CASE("safetensors: the bytes of a small file") {
  const ScratchFolder folder;
  NamedTensors content;
  content.metadata["step"] = "7";
  content.add("b", Tensor::from<uint8_t>(DType::U8, {3}, std::vector<uint8_t>{1, 2, 3}));
  content.add("a", Tensor::from<float>(DType::F32, {1, 2}, std::vector<float>{1.0F, -2.0F}));
  write_safetensors(folder / "x", content);
  // The numbers are those of `xxhsum -H3`.
  const std::string json = R"({"__metadata__":{"step":"7","xxh3":"5e0ca8260dd85aec",)"
                           R"("xxh3:a":"28a0ba9c345d3723","xxh3:b":"ebce9b7632ae733b"},)"
                           R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},)"
                           R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const std::string padded = json + std::string((8 - json.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\x80\x3F\x00\x00\x00\xC0\x01\x02\x03", 11);
  CHECK(file_bytes(folder / "x") == with_header(padded, data));
}

TEST_CASE("safetensors: round trip of all dtypes, empty tensors, scalars and metadata") {
  const ScratchFolder folder;
  const NamedTensors content = all_dtypes();
  write_safetensors(folder / "x", content);
  const NamedTensors back = read_safetensors(folder / "x");
  CHECK(same(back, content));
  write_safetensors(folder / "y", back);
  CHECK(file_bytes(folder / "x") == file_bytes(folder / "y"));
  CHECK(back.find("scalar")->at(0) == -2.5);
  CHECK(back.find("none") == nullptr);
  for (const NamedTensor& tensor : back.tensors)
    CHECK(reinterpret_cast<uintptr_t>(tensor.value.raw()) % 64 == 0);
}

TEST_CASE("safetensors: one flipped bit is found, wherever it is, and the tensor named") {
  const ScratchFolder folder;
  const NamedTensors content = all_dtypes();
  write_safetensors(folder / "good", content);
  const std::string good = file_bytes(folder / "good");
  uint64_t header_size = 0;
  std::memcpy(&header_size, good.data(), sizeof header_size);
  const size_t data_begin = sizeof header_size + header_size;
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const std::string error = error_of([&] { read_safetensors(folder.write("bad", bad)); });
    INFO("bit " << bit << ": " << error);
    REQUIRE_THAT(error, StartsWith("1 E0921"));
    if (bit / 8 >= data_begin) REQUIRE_THAT(error, Contains("is damaged") && Contains("tensor `"));
  }
}

TEST_CASE("safetensors: no tensors, with and without metadata") {
  const ScratchFolder folder;
  NamedTensors content;
  write_safetensors(folder / "x", content);
  CHECK(same(read_safetensors(folder / "x"), content));
  content.metadata["a"] = "";
  write_safetensors(folder / "x", content);
  CHECK(same(read_safetensors(folder / "x"), content));
}

TEST_CASE("safetensors: tensors at unaligned offsets are read") {
  const ScratchFolder folder;
  const std::string json =
      "{" + entry("odd", "U8", "[1]", "[0,1]") + "," + entry("x", "F32", "[1]", "[1,5]") + "}";
  const std::string path =
      folder.write("x", with_header(json, std::string("\x07\x00\x00\xC0\x3F", 5)));
  CHECK(read_safetensors(path).find("x")->at(0) == 1.5);
}

TEST_CASE("safetensors: a header length that looks like gzip is none") {
  const ScratchFolder folder;
  std::string json = "{}";
  json.resize(0x8B1F, ' ');
  CHECK(read_safetensors(folder.write("x", with_header(json))).tensors.empty());
}

TEST_CASE("safetensors: faults name the file and the tensor") {
  const ScratchFolder folder;
  const auto error = [&](const std::string& bytes) {
    const std::string path = folder.write("bad", bytes);
    const std::string text = error_of([&] { read_safetensors(path); });
    CHECK_THAT(text, StartsWith("1 E0921") && Contains("`" + path + "`"));
    return text;
  };
  const auto header_error = [&](const std::string& members, const std::string& data = "") {
    return error(with_header("{" + members + "}", data));
  };
  const std::string four(4, 'x');
  CHECK_THAT(error(""), Contains("it has 0 bytes"));
  CHECK_THAT(error("1234567"), Contains("it has 7 bytes"));
  CHECK_THAT(error(std::string(8, '\xFF') + "{}"), Contains("18446744073709551615 bytes"));
  CHECK_THAT(error(with_header("{}").substr(0, 9)), Contains("is it complete?"));
  CHECK_THAT(error(with_header("")), Contains("no valid JSON"));
  CHECK_THAT(error(with_header("[]")), Contains("out of place"));
  CHECK_THAT(error(with_header("7")), Contains("out of place"));
  CHECK_THAT(error(with_header("{} {}")), Contains("no valid JSON"));
  CHECK_THAT(error(with_header("{\"a\xFF\":1}")), Contains("no valid JSON"));
  CHECK_THAT(header_error(R"("a":7)"), Contains("out of place"));
  CHECK_THAT(header_error(R"("a":"text")"), Contains("out of place"));
  CHECK_THAT(header_error(R"("a":{})"), Contains("`a`") && Contains("all needed"));
  CHECK_THAT(header_error(R"("a":{"dtype":"F32","what":1})"), Contains("`what`"));
  CHECK_THAT(header_error(R"("a":{"dtype":"F32","dtype":"F32"})"), Contains("twice"));
  CHECK_THAT(header_error(R"("a":{"dtype":null})"), Contains("null"));
  CHECK_THAT(header_error(R"("__metadata__":{"a":1})"), Contains("out of place"));
  CHECK_THAT(header_error(R"("__metadata__":{"a":{}})"), Contains("out of place"));
  CHECK_THAT(header_error(R"("__metadata__":{"a":"","a":""})"), Contains("twice"));
  CHECK_THAT(header_error(entry("w", "F8_E4M3", "[4]", "[0,4]"), four),
             Contains("`w`") && Contains("F8_E4M3"));
  CHECK_THAT(header_error(entry("w", "F32", "[2]", "[0,4]"), four),
             Contains("`w`") && Contains("f32[2] is 8 bytes") && Contains("span 4"));
  CHECK_THAT(header_error(entry("w", "F32", "[-1]", "[0,4]"), four), Contains("negative"));
  CHECK_THAT(header_error(entry("w", "F32", "[1.0]", "[0,4]"), four), Contains("whole"));
  CHECK_THAT(header_error(entry("w", "F32", "[[1]]", "[0,4]"), four), Contains("out of place"));
  CHECK_THAT(header_error(entry("w", "F32", "[1]", "[4,0]"), four), Contains("begin and an end"));
  CHECK_THAT(header_error(entry("w", "F32", "[1]", "[0]"), four), Contains("begin and an end"));
  CHECK_THAT(header_error(entry("w", "F32", "[1]", "[4,8]"), four + four),
             Contains("`w`") && Contains("begins at 4"));
  CHECK_THAT(header_error(entry("w", "F32", "[2]", "[0,8]"), four), Contains("is it complete?"));
  CHECK_THAT(header_error(entry("w", "F32", "[1]", "[0,4]"), four + "x"),
             Contains("1 bytes follow"));
  CHECK_THAT(
      header_error(entry("w", "F32", "[1]", "[0,4]") + "," + entry("w", "F32", "[1]", "[4,8]"),
                   four + four),
      Contains("`w` is given twice"));
  CHECK_THAT(header_error(
                 entry("v", "F32", "[1]", "[0,4]") + "," + entry("w", "F32", "[1]", "[0,4]"), four),
             Contains("begins at 0"));
  CHECK_THAT(header_error(entry("w", "U8", "[4611686018427387904,4]", "[0,0]")),
             Contains("too large"));
  CHECK_THAT(header_error(entry("w", "U8", "[0,4611686018427387904,4]", "[0,0]")),
             Contains("too large"));
  CHECK_THAT(header_error(entry("w", "U8", "[18446744073709551615]", "[0,0]")),
             Contains("too large"));
  CHECK_THAT(header_error("\"" + std::string(5000, 'n') + "\":{}"), Contains("longer than 4096"));
  CHECK_THAT(header_error(R"("\u001b[2J":{})"), Contains(R"(\x1b[2J)"));
}

TEST_CASE("safetensors: what is no readable file is an input/output error") {
  const ScratchFolder folder;
  CHECK_THAT(error_of([&] { read_safetensors(folder / "none"); }), StartsWith("5 E0911"));
  CHECK_THAT(error_of([&] { read_safetensors(folder.path()); }), StartsWith("5 E0911"));
  CHECK_THAT(error_of([&] { read_safetensors("/dev/zero"); }), StartsWith("5 E0911"));
}

TEST_CASE("safetensors: huge and deep headers are refused in time") {
  const ScratchFolder folder;
  const testing::ProcessorTime time;
  const auto error = [&](const std::string& json) {
    return error_of([&] { read_safetensors(folder.write("bad", with_header(json))); });
  };
  CHECK_THAT(error(std::string(size_t{33} << 20, '[')), Contains("more than the"));
  CHECK_THAT(error(std::string(size_t{8} << 20, '[')), Contains("out of place"));
  CHECK_THAT(error("{\"a\":{\"shape\":" + std::string(size_t{8} << 20, '[')),
             Contains("out of place"));
  std::string sizes = "{\"a\":{\"shape\":[";
  while (sizes.size() < (size_t{8} << 20)) sizes += "1,";
  CHECK_THAT(error(sizes), Contains("too long"));
  CHECK_THAT(error("{\"" + std::string(size_t{8} << 20, 'x')), StartsWith("1 E0921"));
  CHECK(time.seconds() < 5);
}

TEST_CASE("safetensors: every truncation is an error, every damage an error or tensors") {
  const ScratchFolder folder;
  write_safetensors(folder / "good", all_dtypes());
  const std::string whole = file_bytes(folder / "good");
  for (size_t length = 0; length < whole.size(); ++length) {
    INFO("first " << length << " bytes of " << whole.size());
    CHECK_THAT(error_of([&] { read_safetensors(folder.write("cut", whole.substr(0, length))); }),
               StartsWith("1 E0921"));
  }
  CHECK_THAT(error_of([&] { read_safetensors(folder.write("long", whole + "x")); }),
             StartsWith("1 E0921"));
  std::mt19937 random(19690720);
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = whole;
    for (uint32_t flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const std::string error = error_of([&] { read_safetensors(folder.write("bad", bytes)); });
    if (error.empty())
      ++accepted;
    else
      CHECK_THAT(error, StartsWith("1 E0921"));
  }
  CHECK((accepted > 0 && accepted < 4000));
}

TEST_CASE("safetensors: writing replaces a file whole and leaves nothing else behind") {
  const ScratchFolder folder;
  folder.write("x", "old");
  std::filesystem::permissions(folder / "x", std::filesystem::perms(0640));
  std::filesystem::create_symlink("x", folder / "link");
  NamedTensors content;
  content.add("w", Tensor(DType::F32, {4}));
  write_safetensors(folder / "link", content);
  CHECK(same(read_safetensors(folder / "x"), content));
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(std::filesystem::status(folder / "x").permissions() == std::filesystem::perms(0640));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
  std::filesystem::create_symlink(folder / "absent", folder / "second");
  std::filesystem::create_symlink("second", folder / "first");
  write_safetensors(folder / "first", content);
  CHECK(std::filesystem::is_symlink(folder / "second"));
  CHECK(same(read_safetensors(folder / "absent"), content));
}

TEST_CASE("safetensors: what could not be read is not written") {
  const ScratchFolder folder;
  const auto called = [](const std::string& name) {
    NamedTensors content;
    content.add(name, Tensor(DType::F32, {1}));
    return content;
  };
  const NamedTensors longest = called(std::string(4096, 'n'));
  write_safetensors(folder / "x", longest);
  CHECK(same(read_safetensors(folder / "x"), longest));
  for (const std::string& name : {std::string(4097, 'n'), std::string("__metadata__")})
    CHECK_THAT(error_of([&] { write_safetensors(folder / "x", called(name)); }),
               StartsWith("5 E0922"));
  CHECK(same(read_safetensors(folder / "x"), longest));
}

TEST_CASE("safetensors: a failed write leaves the old file and no temporary one") {
  const ScratchFolder folder;
  NamedTensors content;
  content.add("w", Tensor(DType::F32, {4}));
  CHECK_THAT(error_of([&] { write_safetensors(folder / "none/x", content); }),
             StartsWith("5 E0922") && Contains("No such file"));
  CHECK_THAT(error_of([&] { write_safetensors(folder.path(), content); }),
             StartsWith("5 E0922") && Contains("directory"));
  CHECK_THAT(error_of([&] { write_safetensors("/dev/full", content); }),
             StartsWith("5 E0922") && Contains("No space"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 0);
}
