// The built-in digits: the same everywhere, balanced, no two alike.
#include "runtime/data/digits.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "runtime/data/batches.h"
#include "runtime/data/digit_skeletons.h"
#include "tests/processor_time.h"

using namespace gradc;

namespace {

/// FNV-1a.
uint64_t hash_of(const Tensor& tensor) {
  uint64_t hash = 0xCBF29CE484222325U;
  for (uint8_t byte : tensor.span<uint8_t>()) hash = (hash ^ byte) * 0x100000001B3U;
  return hash;
}

std::vector<int> class_counts(const Dataset& dataset) {
  std::vector<int> counts(10);
  for (uint8_t label : dataset.find("label")->values.span<uint8_t>()) ++counts.at(label);
  return counts;
}

}  // namespace

TEST_CASE("digits: pinned bytes, balanced classes, fast") {
  const testing::ProcessorTime time;
  const DataSplit split = make_digits();
  split.train.fill();
  split.test->fill();
  CHECK(time.seconds() < 30);
  CHECK(split.train.name == "digits");
  REQUIRE(split.test);
  CHECK(to_string(split.train.find("image")->values.type()) == "u8[60000, 28, 28]");
  CHECK(to_string(split.test->find("label")->values.type()) == "u8[10000]");
  CHECK(hash_of(split.train.find("image")->values) == 0xDB853AAAD49402A4U);
  CHECK(hash_of(split.train.find("label")->values) == 0x982C203778598DB1U);
  CHECK(hash_of(split.test->find("image")->values) == 0xC35B8198E49B7C9CU);
  CHECK(hash_of(split.test->find("label")->values) == 0xCF8D57CA5829B578U);
  for (int count : class_counts(split.train)) CHECK(std::abs(count - 6000) < 300);
  for (int count : class_counts(*split.test)) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("digits: any range of rows is the same rows, for any number of threads") {
  const Dataset whole = draw_digits(0, 300);
  omp_set_num_threads(3);
  const Dataset part = draw_digits(100, 50);
  omp_set_num_threads(omp_get_num_procs());
  const auto pixels = whole.fields[0].values.span<uint8_t>().subspan(100 * 784, 50 * 784);
  const auto part_pixels = part.fields[0].values.span<uint8_t>();
  CHECK(std::equal(pixels.begin(), pixels.end(), part_pixels.begin(), part_pixels.end()));
}

TEST_CASE("digits: rows are drawn when batches read them, whoever comes first") {
  const BatchOptions options{.size = 500};
  const Dataset drawn_later = make_digits().train;
  const auto is_drawn = [&](int64_t row) {
    const auto image =
        drawn_later.fields[0].values.span<uint8_t>().subspan(static_cast<size_t>(row) * 784, 784);
    return std::any_of(image.begin(), image.end(), [](uint8_t ink) { return ink > 0; });
  };
  const Batches whole_epoch(drawn_later, options);
  std::vector<std::thread> threads;
  std::vector<Batch> read(4);
  for (Batch& batch : read) threads.emplace_back([&] { batch = whole_epoch.read(0); });
  for (std::thread& thread : threads) thread.join();
  int64_t drawn = 0;
  for (int64_t row = 0; row < 60000; ++row) drawn += is_drawn(row) ? 1 : 0;
  CHECK(drawn == 500);
  for (const Batch& batch : read)
    for (int64_t row = 0; row < 500; ++row) {
      const Dataset one = draw_digits(whole_epoch.row_at(row), 1);
      for (size_t field = 0; field < 2; ++field) {
        const auto want = one.fields[field].values.span<uint8_t>();
        const auto got = batch.values[field].span<uint8_t>().subspan(
            static_cast<size_t>(row) * want.size(), want.size());
        REQUIRE(std::equal(want.begin(), want.end(), got.begin(), got.end()));
      }
    }
}

TEST_CASE("digits: every image has ink, empty corners and no twin") {
  const Dataset data = draw_digits(0, 5000);
  const auto pixels = data.fields[0].values.span<uint8_t>();
  std::set<uint64_t> seen;
  for (size_t row = 0; row < 5000; ++row) {
    const auto image = pixels.subspan(row * 784, 784);
    const auto inked =
        std::count_if(image.begin(), image.end(), [](uint8_t ink) { return ink > 64; });
    CHECK((inked > 15 && inked < 400));
    CHECK((image[0] == 0 && image[27] == 0));
    uint64_t hash = 0;
    for (uint8_t ink : image) hash = hash * 0x9E3779B97F4A7C15U + ink;
    seen.insert(hash);
  }
  CHECK(seen.size() == 5000);
}

TEST_CASE("digits: several ways to write each, within the box") {
  for (int digit = 0; digit < 10; ++digit) {
    CHECK(skeletons_of(digit).size() >= 2);
    for (const Skeleton& skeleton : skeletons_of(digit))
      for (const Stroke& stroke : skeleton) {
        CHECK((stroke.points.size() >= 2 && stroke.points.size() <= 16));
        for (const SkeletonPoint& point : stroke.points)
          CHECK((point.x >= 10 && point.x <= 90 && point.y >= 0 && point.y <= 100));
      }
  }
}
