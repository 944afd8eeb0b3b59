// IDX files, plain and gzip, and everything that can be wrong with them.
#include "runtime/data/idx.h"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <random>

#include "runtime/reserve.h"
#include "tests/processor_time.h"
#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string idx_header(int code, const std::vector<uint32_t>& dims) {
  std::string bytes{'\0', '\0', static_cast<char>(code), static_cast<char>(dims.size())};
  for (uint32_t dim : dims) bytes += big_endian(dim);
  return bytes;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

const std::string kSmall = idx_header(0x08, {2, 3}) + std::string("\x01\x02\x03\xFD\xFE\xFF", 6);

}  // namespace

TEST_CASE("idx: u8, plain and gzip") {
  const ScratchFolder folder;
  for (const std::string& bytes : {kSmall, gzip(kSmall)}) {
    const Tensor tensor = read_idx(folder.write("a", bytes));
    CHECK(to_string(tensor.type()) == "u8[2, 3]");
    CHECK(tensor.at(0) == 1);
    CHECK(tensor.at(3) == 0xFD);
    CHECK(tensor.at(5) == 0xFF);
  }
}

TEST_CASE("idx: wide elements are big-endian") {
  const ScratchFolder folder;
  const Tensor ints = read_idx(
      folder.write("i", idx_header(0x0C, {2}) + big_endian(0x01020304) + big_endian(0xFFFFFFFE)));
  CHECK(to_string(ints.type()) == "i32[2]");
  CHECK(ints.at(0) == 0x01020304);
  CHECK(ints.at(1) == -2);
  const Tensor floats =
      read_idx(folder.write("f", idx_header(0x0D, {1, 1}) + big_endian(0x3FC00000)));
  CHECK(to_string(floats.type()) == "f32[1, 1]");
  CHECK(floats.at(0) == 1.5);
  const Tensor doubles =
      read_idx(folder.write("d", idx_header(0x0E, {1}) + big_endian(0xC0040000) + big_endian(0)));
  CHECK(to_string(doubles.type()) == "f64[1]");
  CHECK(doubles.at(0) == -2.5);
}

TEST_CASE("idx: gzip files of several members are one stream") {
  const ScratchFolder folder;
  const Tensor tensor = read_idx(
      folder.write("a.gz", gzip(kSmall.substr(0, 13)) + gzip("") + gzip(kSmall.substr(13))));
  CHECK(tensor.at(5) == 0xFF);
}

TEST_CASE("idx: an axis of size 0 is a tensor without elements") {
  const ScratchFolder folder;
  CHECK(to_string(read_idx(folder.write("a", idx_header(0x08, {0, 28, 28}))).type()) ==
        "u8[0, 28, 28]");
}

TEST_CASE("idx: faults are named") {
  const ScratchFolder folder;
  const auto error = [&](const std::string& bytes) {
    const std::string path = folder.write("bad", bytes);
    const std::string text = error_of([&] { read_idx(path); });
    CHECK_THAT(text, Contains("`" + path + "`"));
    return text;
  };
  CHECK_THAT(error(""), StartsWith("1 E0912") && Contains("ends inside the first four bytes"));
  CHECK_THAT(error("PK\x03\x04 zip"), StartsWith("1 E0912") && Contains("begins with 50 4b"));
  CHECK_THAT(error(idx_header(0x09, {1}) + "a"), StartsWith("1 E0912") && Contains("0x09"));
  CHECK_THAT(error(idx_header(0x08, {})), StartsWith("1 E0912") && Contains("1 to 8 axes"));
  CHECK_THAT(error(idx_header(0x08, std::vector<uint32_t>(9, 1)) + "a"),
             StartsWith("1 E0912") && Contains("says 9"));
  CHECK_THAT(error(kSmall.substr(0, 9)), StartsWith("1 E0913") && Contains("inside its header"));
  CHECK_THAT(error(kSmall.substr(0, 17)), StartsWith("1 E0913") && Contains("u8[2, 3]"));
  CHECK_THAT(error(kSmall + "x"), StartsWith("1 E0913") && Contains("more bytes"));
  CHECK_THAT(error(gzip(kSmall + "x")), StartsWith("1 E0913") && Contains("more bytes"));
  CHECK_THAT(error(gzip(kSmall.substr(0, 17))), StartsWith("1 E0913") && Contains("truncated"));
  CHECK_THAT(error(gzip(kSmall) + "tail"), StartsWith("1 E0914"));
  std::string damaged = gzip(kSmall);
  damaged[damaged.size() - 6] ^= 1;
  CHECK_THAT(error(damaged), StartsWith("1 E0914") && Contains("check"));
}

TEST_CASE("idx: what is no readable file is an input/output error") {
  const ScratchFolder folder;
  const auto error = [](const std::string& path) { return error_of([&] { read_idx(path); }); };
  CHECK_THAT(error(folder / "none"), StartsWith("5 E0911") && Contains("No such file"));
  CHECK_THAT(error(folder.path()), StartsWith("5 E0911") && Contains("folder"));
  CHECK_THAT(error("/dev/zero"), StartsWith("5 E0911") && Contains("regular file"));
  const std::string pipe = folder / "pipe";
  REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
  CHECK_THAT(error(pipe), StartsWith("5 E0911") && Contains("regular file"));
}

TEST_CASE("idx: promises beyond the file are refused at once") {
  const ScratchFolder folder;
  const testing::ProcessorTime time;
  for (const auto& dims :
       std::vector<std::vector<uint32_t>>{{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
                                          {0xFFFFFFFF, 28, 28},
                                          {1000000, 28, 28},
                                          {0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}}) {
    const std::string header = idx_header(0x0E, dims);
    for (const std::string& bytes : {header, gzip(header)})
      CHECK_THAT(error_of([&] { read_idx(folder.write("bad", bytes)); }), StartsWith("1 E0913"));
  }
  CHECK(time.seconds() < 1.0);
}

TEST_CASE("idx: a gzip bomb is not inflated past what the header promises") {
  const ScratchFolder folder;
  const std::string bomb = gzip(idx_header(0x08, {100}) + std::string(size_t{200} << 20, '\0'));
  REQUIRE(bomb.size() < 300000);
  const std::string path = folder.write("bomb.gz", bomb);
  const testing::ProcessorTime time;
  CHECK_THAT(error_of([&] { read_idx(path); }), StartsWith("1 E0913") && Contains("more bytes"));
  CHECK(time.seconds() < 0.1);
}

TEST_CASE("idx: every truncation of a small file is an error, every damage an error or data") {
  const ScratchFolder folder;
  std::mt19937 random(20240229);
  for (const std::string& whole : {kSmall, gzip(kSmall)}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      INFO("first " << length << " bytes of " << whole.size());
      CHECK_THAT(error_of([&] { read_idx(folder.write("cut", whole.substr(0, length))); }),
                 StartsWith("1 E09"));
    }
    int accepted = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string bytes = whole;
      for (uint32_t flips = 1 + random() % 3; flips > 0; --flips)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      const std::string error = error_of([&] { read_idx(folder.write("bad", bytes)); });
      if (error.empty())
        ++accepted;
      else
        CHECK_THAT(error, StartsWith("1 E09"));
    }
    CHECK(accepted < 2500);
  }
}

TEST_CASE("reserve_tensor: refuses what the machine does not have, gives zeros otherwise") {
  const int64_t too_many = physical_memory_bytes() + 1;
  CHECK_THAT(error_of([&] {
               reserve_tensor({DType::U8, {too_many}}, "x.idx");
             }),
             StartsWith("5 E0802") && Contains("`x.idx`"));
  Tensor large = reserve_tensor({DType::U8, {int64_t{3} << 20}}, "x.idx");
  CHECK(large.at(large.size() - 1) == 0);
  large.set(large.size() - 1, 7);
  CHECK(large.at(large.size() - 1) == 7);
}
