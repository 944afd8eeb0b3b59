// Batches of an epoch, in order, shuffled, and assembled ahead.
#include "runtime/data/batches.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>

#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// Row r is the number r, as i64 and as three bytes.
Dataset numbered(int64_t rows) {
  Tensor number(DType::I64, {rows});
  Tensor bytes(DType::U8, {rows, 3});
  for (int64_t row = 0; row < rows; ++row) {
    number.set(row, static_cast<double>(row));
    for (int64_t i = 0; i < 3; ++i)
      bytes.set(row * 3 + i, static_cast<double>((row * 3 + i) % 251));
  }
  return {"numbered", {{"number", number}, {"bytes", bytes}}};
}

std::vector<int64_t> order_of(const Batches& batches) {
  std::vector<int64_t> order;
  for (int64_t index = 0; index < batches.count(); ++index) {
    const Batch batch = batches.read(index);
    for (int64_t number : batch.values[0].span<int64_t>()) order.push_back(number);
  }
  return order;
}

std::vector<int64_t> counted(int64_t rows) {
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  return order;
}

bool same(const Batch& a, const Batch& b) {
  if (a.index != b.index || a.rows != b.rows || a.values.size() != b.values.size()) return false;
  for (size_t i = 0; i < a.values.size(); ++i)
    if (!same_bits(a.values[i], b.values[i])) return false;
  return true;
}

}  // namespace

TEST_CASE("batches: the last one has the rows that are left") {
  const Dataset data = numbered(60000);
  const Batches keep(data, {.size = 128});
  CHECK(keep.count() == 469);
  CHECK(keep.rows(0) == 128);
  CHECK(keep.rows(467) == 128);
  CHECK(keep.rows(468) == 96);
  CHECK(to_string(keep.read(468).values[1].type()) == "u8[96, 3]");
  const Batches drop(data, {.size = 128, .last_batch = LastBatch::Drop});
  CHECK(drop.count() == 468);
  CHECK(drop.rows(467) == 128);
}

TEST_CASE("batches: one batch for all, one row per batch") {
  const Dataset data = numbered(10);
  CHECK(Batches(data, {.size = 10}).count() == 1);
  CHECK(Batches(data, {.size = 11}).rows(0) == 10);
  CHECK(Batches(data, {.size = 1}).count() == 10);
}

TEST_CASE("batches: no batch at all is an error") {
  CHECK_THAT(error_of([] { Batches(numbered(10), {.size = 11, .last_batch = LastBatch::Drop}); }),
             StartsWith("1 E0905") && Contains("10 rows"));
  CHECK_THAT(error_of([] { Batches(numbered(0), {}); }), StartsWith("1 E0915"));
  Dataset uneven = numbered(4);
  uneven.fields.push_back({"short", Tensor(DType::U8, {3})});
  CHECK_THAT(error_of([&] { Batches(uneven, {}); }), StartsWith("1 E0915") && Contains("`short`"));
}

TEST_CASE("batches: file order without shuffling") {
  const Dataset data = numbered(1000);
  for (int64_t size : {1, 7, 64, 1000})
    CHECK(order_of(Batches(data, {.size = size, .shuffle = false}, 5)) == counted(1000));
}

TEST_CASE("batches: in file order an aligned batch is a view, and stays valid alone") {
  Dataset data = numbered(1024);
  const std::byte* start = data.fields[0].values.raw();
  std::optional<Batches> batches(Batches(data, {.size = 8, .shuffle = false}));
  Batch batch = batches->read(3);
  CHECK(batch.values[0].raw() == start + 8 * 8 * 3);
  batches.reset();
  data.fields.clear();
  CHECK(batch.values[0].at(7) == 31);
  for (const Tensor& value : batch.values)
    CHECK(reinterpret_cast<uintptr_t>(value.raw()) % 64 == 0);
}

TEST_CASE("batches: shuffled, every row occurs once and keeps its fields together") {
  const Dataset data = numbered(1003);
  const Batches batches(data, {.size = 64, .seed = 3}, 2);
  std::vector<int64_t> order;
  for (int64_t index = 0; index < batches.count(); ++index) {
    const Batch batch = batches.read(index);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const auto number = static_cast<int64_t>(batch.values[0].at(row));
      CHECK(number == batches.row_at(index * 64 + row));
      CHECK(batch.values[1].at(row * 3 + 2) == (number * 3 + 2) % 251);
      order.push_back(number);
    }
  }
  CHECK(order != counted(1003));
  std::sort(order.begin(), order.end());
  CHECK(order == counted(1003));
}

TEST_CASE("batches: the order depends on seed and epoch, on nothing else") {
  const Dataset data = numbered(500);
  const auto order = [&](uint64_t seed, int64_t epoch, int64_t size) {
    return order_of(Batches(data, {.size = size, .seed = seed}, epoch));
  };
  CHECK(order(1, 0, 32) == order(1, 0, 32));
  CHECK(order(1, 0, 32) == order(1, 0, 7));
  CHECK(order(1, 0, 32) != order(1, 1, 32));
  CHECK(order(1, 0, 32) != order(2, 0, 32));
}

TEST_CASE("batches: the shuffle is a fixed function") {
  const Batches batches(numbered(10), {.size = 10, .seed = 7}, 1);
  CHECK(order_of(batches) == std::vector<int64_t>{9, 6, 1, 3, 5, 8, 2, 4, 0, 7});
}

TEST_CASE("batches: every row is equally likely at every place") {
  constexpr int64_t kRows = 8;
  constexpr int64_t kEpochs = 8000;
  const Dataset data = numbered(kRows);
  std::vector<int> counts(kRows * kRows);
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const Batches batches(data, {.size = kRows}, epoch);
    for (int64_t place = 0; place < kRows; ++place)
      ++counts[static_cast<size_t>(place * kRows + batches.row_at(place))];
  }
  // 1000 expected, standard deviation 30.
  for (int count : counts) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("batch loader: the same batches as without it, from any start") {
  const int threads = GENERATE(0, 1, 2, 3, 4);
  for (int64_t rows : {1, 100, 20000})
    for (int64_t size : {1, 33})
      for (bool shuffle : {false, true}) {
        const Dataset data = numbered(rows);
        const Batches batches(data, {.size = size, .shuffle = shuffle, .seed = 9}, 4);
        for (int64_t first : {int64_t{0}, batches.count() / 2, batches.count()}) {
          BatchLoader loader(batches, first, threads);
          bool all_same = true;
          for (int64_t index = first; index < batches.count(); ++index) {
            const auto batch = loader.next();
            all_same = all_same && batch && same(*batch, batches.read(index));
          }
          CHECK(all_same);
          CHECK_FALSE(loader.next());
          CHECK_FALSE(loader.next());
        }
      }
}

TEST_CASE("batch loader: stops wherever it stands") {
  const int threads = GENERATE(1, 3);
  const Dataset data = numbered(20000);
  for (int taken = 0; taken < 50; ++taken) {
    BatchLoader loader(Batches(data, {.size = 16}), 0, threads);
    for (int i = 0; i < taken; ++i) REQUIRE(loader.next());
    if (taken % 2 == 0) BatchLoader moved = std::move(loader);
  }
}

// Sanitizers abort on the allocation that is to fail here.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("batch loader: forwards what reading throws, after the batches before it") {
  const int threads = GENERATE(0, 1, 3);
  Dataset data = numbered(64);
  // Rows that promise more memory than any machine has: the first batch fails inside the thread.
  Tensor huge({DType::U8, {64, int64_t{1} << 39}}, data.fields[0].values.raw(), nullptr);
  data.fields.push_back({"huge", huge});
  BatchLoader loader(Batches(data, {.size = 32}), 0, threads);
  CHECK_THAT(error_of([&] { loader.next(); }), StartsWith("5 E0802"));
}
#endif
