// NumPy arrays and archives: orders, dtypes, splits, and files that are damaged or lie.

#include "runtime/data/load.h"
#include "tests/deflated.h"
#include "tests/runtime/scratch_folder.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& order = "False", int version = 1) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr, order, shape);
  header += std::string(63 - (header.size() + (version == 1 ? 10 : 12)) % 64, ' ') + "\n";
  return "\x93NUMPY" + std::string{static_cast<char>(version), '\0'} +
         little_endian(header.size(), version == 1 ? 2 : 4) + header + data;
}

struct Packed {
  std::string name;
  std::string bytes;
  bool is_deflated = false;
};

std::string zip(const std::vector<Packed>& members) {
  std::string file;
  std::string directory;
  for (const Packed& member : members) {
    const std::string packed =
        member.is_deflated ? testing::deflated(member.bytes, -15) : member.bytes;
    const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(member.bytes.data()),
                                static_cast<uInt>(member.bytes.size()));
    const std::string shared =
        little_endian(0, 2) + little_endian(member.is_deflated ? 8 : 0, 2) + little_endian(0, 4) +
        little_endian(checksum, 4) + little_endian(packed.size(), 4) +
        little_endian(member.bytes.size(), 4) + little_endian(member.name.size(), 2);
    directory += "PK\1\2" + little_endian(20, 2) + little_endian(20, 2) + shared +
                 little_endian(0, 12) + little_endian(file.size(), 4) + member.name;
    file += "PK\3\4" + little_endian(20, 2) + shared + little_endian(0, 2) + member.name + packed;
  }
  return file + directory + "PK\5\6" + little_endian(0, 4) + little_endian(members.size(), 2) +
         little_endian(members.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(file.size(), 4) + little_endian(0, 2);
}

std::vector<double> elements(const Tensor& tensor) {
  std::vector<double> values;
  for (int64_t i = 0; i < tensor.size(); ++i) values.push_back(tensor.at(i));
  return values;
}

std::string error_in(const std::string& name, const std::string& bytes, double test = 0) {
  const ScratchFolder folder;
  const DataSource source{
      name.substr(name.size() - 3), folder.write(name, bytes), {{"test", test}}};
  return error_of([&] { load_data(source); });
}

}  // namespace

TEST_CASE("npy: byte orders, dtypes, versions, rows and columns first") {
  const ScratchFolder folder;
  const auto read = [&](const std::string& bytes) {
    return load_data(parse_data_source(folder.write("x.npy", bytes))).train.find("x")->values;
  };
  const Tensor columns =
      read(npy("<i4", "(2, 3)",
               little_endian(1, 4) + little_endian(4, 4) + little_endian(2, 4) +
                   little_endian(5, 4) + little_endian(3, 4) + little_endian(6, 4),
               "True", 2));
  CHECK(to_string(columns.type()) == "i32[2, 3]");
  CHECK(elements(columns) == std::vector<double>{1, 2, 3, 4, 5, 6});
  const std::string one_and_half = {0x3F, static_cast<char>(0xC0), 0, 0};
  CHECK(elements(read(npy(">f4", "(1,)", one_and_half))) == std::vector<double>{1.5});
  CHECK(elements(read(npy("|b1", "(3, )", std::string{0, 1, 7}, "False", 3))) ==
        std::vector<double>{0, 1, 1});
  CHECK(elements(read(npy("<f2", "(1,)", std::string{0, 0x3E}))) == std::vector<double>{1.5});
  std::string cube;
  for (int c = 0; c < 4; ++c)
    for (int b = 0; b < 3; ++b)
      for (int a = 0; a < 2; ++a) cube += static_cast<char>(a * 12 + b * 4 + c);
  const Tensor turned = read(npy("|u1", "(2, 3, 4)", cube, "True"));
  for (int64_t i = 0; i < 24; ++i) CHECK(turned.at(i) == i);
}

TEST_CASE("npy: a share of the rows is held out, as described") {
  const ScratchFolder folder;
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += static_cast<char>(i);
  const DataSource source{
      "npy", folder.write("y.npy", npy("|u1", "(10, 2)", bytes)), {{"test", 0.3}}};
  const DataSplit split = load_data(source);
  const DataDescription described = describe_data(source);
  CHECK(described.train_rows == 7);
  CHECK(described.test_rows == 3);
  CHECK(to_string(described.fields[0].row_type) == "u8[2]");
  std::vector<double> all = elements(split.train.find("y")->values);
  for (double value : elements(split.test->find("y")->values)) all.push_back(value);
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); ++i) CHECK(all[i] == static_cast<double>(i));
}

TEST_CASE("npz: stored and deflated arrays, the two parts by their names") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("m.npz", zip({{"x_train.npy", npy("|u1", "(3, 2)", "abcdef"), true},
                                 {"y_train.npy", npy("|u1", "(3,)", std::string{0, 1, 2}), false},
                                 {"x_test.npy", npy("|u1", "(1, 2)", "xy"), false},
                                 {"y_test.npy", npy("|u1", "(1,)", "\1"), true}}));
  const DataSource source = parse_data_source(path);
  CHECK(source.kind == "npz");
  const DataSplit split = load_data(source);
  CHECK(elements(split.train.find("x")->values) == std::vector<double>{97, 98, 99, 100, 101, 102});
  REQUIRE(split.test);
  CHECK(elements(split.test->find("x")->values) == std::vector<double>{120, 121});
  const DataDescription described = describe_data(source);
  CHECK(described.train_rows == 3);
  CHECK(described.test_rows == 1);
  CHECK(described.fields.size() == 2);
}

TEST_CASE("npz: parts and fields that do not fit each other") {
  const auto array = [](const std::string& name, int rows) {
    return Packed{name + ".npy", npy("|u1", fmt::format("({},)", rows), std::string(rows, 'a'))};
  };
  const auto error = [&](const std::vector<Packed>& members, double test = 0) {
    return error_in("a.npz", zip(members), test);
  };
  CHECK(error({array("a", 4), array("b", 4)}, 0.25).empty());
  CHECK_THAT(error({array("a", 4), array("b", 3)}), StartsWith("1 E0915") && Contains("3"));
  CHECK_THAT(error({array("a_test", 4)}), Contains("no array to train on"));
  CHECK_THAT(error({array("a", 4), array("b", 4), array("a_test", 1)}),
             Contains("`b` has no test rows"));
  CHECK_THAT(error({array("a", 4), array("a_train", 4)}), Contains("two arrays"));
  CHECK_THAT(error({array("a", 4), array("a_test", 4)}, 0.5), Contains("of its own"));
  CHECK_THAT(error({array("a", 0)}), Contains("no rows"));
  CHECK_THAT(
      error({{"a.npy", npy("|u1", "(1, 2)", "ab")}, {"a_test.npy", npy("|u1", "(1, 1)", "a")}}),
      Contains("u8[2]") && Contains("u8[1]"));
}

TEST_CASE("npy: headers of another form, and promises that cannot be kept") {
  const auto error = [](const std::string& bytes) { return error_in("a.npy", bytes); };
  CHECK_THAT(error(""), StartsWith("1 E0912"));
  CHECK_THAT(error("PK\3\4 no array at all"), StartsWith("1 E0912"));
  const std::string good = npy("<f4", "(2, 2)", std::string(16, '\0'));
  CHECK(error(good).empty());
  for (size_t length = 0; length < good.size(); ++length) {
    INFO(length);
    CHECK_THAT(error(good.substr(0, length)), StartsWith("1 E091"));
  }
  CHECK_THAT(error(good + "x"), StartsWith("1 E0913") && Contains("more"));
  CHECK_THAT(error(npy("<f4", "(2, 2)", "", "False", 9)), Contains("version 9"));
  CHECK_THAT(error(npy("<c8", "(2,)", "")), Contains("`<c8`"));
  CHECK_THAT(error(npy("|O", "(2,)", "")), StartsWith("1 E0912"));
  CHECK_THAT(error(npy("<f4", "(2,)", "", "Maybe")), Contains("fortran_order"));
  for (const std::string shape : {"(-1,)", "(2", "2", "(a,)", "(99999999999999999999,)"})
    CHECK_THAT(error(npy("<f4", shape, "")), StartsWith("1 E0912"));
  CHECK_THAT(error(npy("<i8", "(733333333, 0)", "")),
             StartsWith("1 E0912") && Contains("rows hold nothing"));
  CHECK_THAT(error(npy("<f4", "()", "abcd")), StartsWith("1 E0912") && Contains("no rows"));
  for (const std::string shape :
       {"(1000000000000,)", "(4611686018427387904, 4)", "(1, 0, 1 , 4611686018427387904, 9)"})
    CHECK_THAT(error(npy("<f4", shape, "")), StartsWith("1 E091"));
  CHECK_THAT(error("\x93NUMPY\2" + std::string(1, '\0') + "\xFF\xFF\xFF\x7F"),
             Contains("its header has"));
}

TEST_CASE("npz: archives that are cut, damaged or of another kind") {
  const std::string good = zip({{"a.npy", npy("|u1", "(60,)", std::string(60, 'q')), true},
                                {"b.npy", npy("|u1", "(60,)", std::string(60, 'r')), false}});
  const auto error = [](const std::string& bytes) { return error_in("a.npz", bytes); };
  CHECK(error(good).empty());
  for (size_t length = 0; length < good.size(); length += 7) {
    INFO(length);
    CHECK_THAT(error(good.substr(0, length)), StartsWith("1 E0917"));
  }
  // Any one byte: either it does not matter, or it is found; nothing else happens.
  int found = 0;
  for (size_t at = 0; at < good.size(); at += 2) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    const std::string message = error(bytes);
    INFO(at << " " << message);
    CHECK((message.empty() || message.substr(0, 5) == "1 E09"));
    found += message.empty() ? 0 : 1;
  }
  CHECK(found > 100);
  CHECK_THAT(error(zip({})), Contains("no array to train on"));
}
