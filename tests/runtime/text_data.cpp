// Text cut into windows: where they begin, what they share, what is refused.
#include <zlib.h>

#include <set>

#include "runtime/data/batches.h"
#include "runtime/data/load.h"
#include "runtime/data/split.h"
#include "tests/runtime/scratch_folder.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

DataSource text_source(const std::string& path, double window, double stride, double test) {
  return {"text", path, {{"window", window}, {"stride", stride}, {"test", test}}};
}

/// The bytes 0, 1, 2, ...
std::string counting(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(i);
  return bytes;
}

}  // namespace

TEST_CASE("text: training windows overlap, test windows predict each byte once") {
  const ScratchFolder folder;
  const DataSource source = text_source(folder.write("a.txt", counting(100)), 5, 2, 0.2);
  const DataSplit split = load_data(source);
  // 80 bytes: windows at 0, 2, ..., 74, the last one of bytes 74 to 78.
  REQUIRE(split.train.rows() == 38);
  // 20 bytes: windows at 80, 84, 88, 92, each of 5 bytes; 96 would end behind the text.
  REQUIRE(split.test);
  REQUIRE(split.test->rows() == 4);
  const Field& train = split.train.fields.front();
  CHECK(to_string(train.row_type()) == "u8[5]");
  CHECK(train.values.size() == 79);
  const Batch batch = Batches(split.train, {.size = 4, .shuffle = false}).read(1);
  CHECK(to_string(batch.values[0].type()) == "u8[4, 5]");
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t i = 0; i < 5; ++i) CHECK(batch.values[0].at(row * 5 + i) == (4 + row) * 2 + i);
  const Batch test = Batches(*split.test, {.size = 9, .shuffle = false}).read(0);
  CHECK(test.rows == 4);
  std::multiset<int> predicted;
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t i = 1; i < 5; ++i)
      predicted.insert(static_cast<int>(test.values[0].at(row * 5 + i)));
  CHECK(predicted.size() == 16);
  for (int byte = 81; byte <= 96; ++byte) CHECK(predicted.count(byte) == 1);
}

TEST_CASE("text: what is held out to validate on is the end, which no window that is left reads") {
  const ScratchFolder folder;
  for (const double stride : {1.0, 3.0, 5.0}) {
    const DataSource source = text_source(folder.write("a.txt", counting(100)), 5, stride, 0);
    const DataSplit whole = load_data(source);
    const DataSplit parts = hold_out(whole.train, 0.25, "a.txt");
    REQUIRE(parts.test);
    const auto least = [](const Dataset& data, int64_t row) {
      return std::to_integer<int>(*data.fields[0].row(row));
    };
    const int64_t last = parts.train.rows() - 1;
    const int begin = least(*parts.test, 0);
    CHECK(least(parts.train, last) + 5 <= begin);
    CHECK(least(parts.train, last) + 5 + static_cast<int>(stride) > begin);
    CHECK(least(*parts.test, 1) == begin + 4);
    CHECK(least(*parts.test, parts.test->rows() - 1) + 5 > 95);
    DataDescription description = describe_data(source);
    hold_out(description, 0.25, "a.txt");
    CHECK(description.train_rows == parts.train.rows());
    CHECK(description.test_rows == parts.test->rows());
    CHECK_THROWS_AS(hold_out(whole.train, 0.03, "a.txt"), Error);
    CHECK_THROWS_AS(hold_out(description, 0.98, "a.txt"), Error);
  }
}

TEST_CASE("text: a shuffled epoch has each window once") {
  const ScratchFolder folder;
  const DataSplit split = load_data(text_source(folder.write("a.txt", counting(60)), 4, 1, 0));
  CHECK_FALSE(split.test);
  const Batches batches(split.train, {.size = 10, .seed = 3});
  std::multiset<int> starts;
  for (int64_t index = 0; index < batches.count(); ++index) {
    const Batch batch = batches.read(index);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const double first = batch.values[0].at(row * 4);
      CHECK(batch.values[0].at(row * 4 + 3) == first + 3);
      starts.insert(static_cast<int>(first));
    }
  }
  CHECK(starts.size() == 57);
  for (int start = 0; start < 57; ++start) CHECK(starts.count(start) == 1);
}

TEST_CASE("text: the description is that of the data, with and without gzip") {
  const ScratchFolder folder;
  const std::string bytes = counting(200) + counting(77);
  const std::string zipped = folder / "a.txt.gz";
  gzFile file = gzopen(zipped.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == 277);
  gzclose(file);
  for (const std::string& path : {folder.write("a.txt", bytes), zipped})
    for (double stride : {1.0, 3.0, 7.0}) {
      const DataSource source = text_source(path, 7, stride, 0.3);
      const DataDescription described = describe_data(source);
      const DataSplit split = load_data(source);
      CHECK(described.train_rows == split.train.rows());
      CHECK(described.test_rows == split.test->rows());
      CHECK(described.fields.front().row_type == split.train.fields.front().row_type());
      CHECK(split.train.fields.front().values.at(150) == 150);
    }
}

TEST_CASE("text: a range check names the window") {
  const ScratchFolder folder;
  const DataSplit split = load_data(text_source(folder.write("a.txt", counting(50)), 4, 3, 0));
  check_field_range(split.train.fields.front(), 50);
  // Byte 20 is in the windows that begin at 18 (row 6): row 5 holds 15 to 18.
  CHECK_THAT(error_of([&] { check_field_range(split.train.fields.front(), 20); }),
             StartsWith("1 E0904") && Contains("20 in row 6"));
  CHECK_THAT(error_of([&] { check_field_range(split.train.fields.front(), 2); }),
             Contains("2 in row 0"));
}

TEST_CASE("text: texts and options that give no window") {
  const ScratchFolder folder;
  const std::string path = folder.write("a.txt", counting(100));
  const auto error = [&](double window, double stride, double test) {
    return error_of([&] { load_data(text_source(path, window, stride, test)); });
  };
  CHECK(error(50, 50, 0.5).empty());
  CHECK_THAT(error(51, 1, 0.5), StartsWith("1 E0915") && Contains("to train on"));
  CHECK_THAT(error(50, 1, 0.1), StartsWith("1 E0915") && Contains("to test on"));
  CHECK_THAT(error(5, 6, 0.1), StartsWith("1 E0910") && Contains("stride"));
  CHECK_THAT(error(1, 1, 0.1), StartsWith("1 E0910") && Contains("from 2 to"));
  CHECK_THAT(error(4.5, 1, 0.1), StartsWith("1 E0910") && Contains("whole number"));
  CHECK_THAT(error(4, 1, 1), StartsWith("1 E0910") && Contains("share"));
  CHECK_THAT(error(1e300, 1, 0), StartsWith("1 E0910"));
  CHECK_THAT(error_of([&] {
               load_data({"text", folder.write("empty.txt", "")});
             }),
             StartsWith("1 E0915") && Contains("0 bytes"));
  CHECK_THAT(error_of([&] { load_data({"text", folder / "none.txt"}); }), StartsWith("5 E0911"));
}
