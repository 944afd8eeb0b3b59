// Element types, shapes, tensors.
#include "runtime/core/tensor.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/core/checked_size.h"

using namespace gradc;

TEST_CASE("every dtype has a name that parses back and a size") {
  for (DType dtype : kAllDTypes) {
    REQUIRE(parse_dtype(name(dtype)) == dtype);
    visit_dtype(dtype, [&](auto tag) {
      REQUIRE(size_bytes(dtype) == static_cast<int64_t>(sizeof(typename decltype(tag)::type)));
    });
  }
  REQUIRE(!parse_dtype("f8"));
}

TEST_CASE("16-bit floats convert back to themselves and round to nearest even") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    BFloat16 wide;
    wide.bits = static_cast<uint16_t>(bits);
    Float16 half;
    half.bits = static_cast<uint16_t>(bits);
    const float from_bf16 = static_cast<float>(wide);
    const float from_f16 = static_cast<float>(half);
    if (!std::isnan(from_bf16)) REQUIRE(BFloat16(from_bf16).bits == bits);
    if (!std::isnan(from_f16)) REQUIRE(Float16(from_f16).bits == bits);
  }
  REQUIRE(static_cast<float>(BFloat16(1.00390625F)) == 1.0F);  // half way: to even
  REQUIRE(static_cast<float>(BFloat16(1.01171875F)) == 1.015625F);
  REQUIRE(static_cast<float>(Float16(2049.0F)) == 2048.0F);
  REQUIRE(std::isinf(static_cast<float>(Float16(65520.0F))));
  REQUIRE(static_cast<float>(Float16(65519.0F)) == 65504.0F);
  REQUIRE(static_cast<float>(Float16(0x1p-25F)) == 0.0F);
  REQUIRE(std::isnan(static_cast<float>(Float16(std::numeric_limits<float>::quiet_NaN()))));
  REQUIRE(std::isnan(static_cast<float>(BFloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("shapes count elements and refuse what no machine holds") {
  REQUIRE(Shape{}.element_count() == 1);
  REQUIRE(Shape({2, 0, 5}).element_count() == 0);
  REQUIRE(Shape({2, 3, 5}).strides() == std::vector<int64_t>{15, 5, 1});
  REQUIRE(Shape({int64_t{1} << 40, 0}).element_count() == 0);
  // A stride of it would be.
  REQUIRE_THROWS_AS(Shape({0, int64_t{1} << 40, int64_t{1} << 40}).element_count(), Error);
  REQUIRE_THROWS_AS(Shape({int64_t{1} << 40, int64_t{1} << 40}).element_count(), Error);
  REQUIRE(to_string(Type{DType::F32, {128, 784}}) == "f32[128, 784]");
}

TEST_CASE("memory is zero and aligned, whatever its size and whatever was there before") {
  for (int round = 0; round < 2; ++round)
    for (const int64_t bytes : {1, 63, 4096, 2097151, 2097152, 2097153, 9000000}) {
      Tensor tensor(DType::U8, {bytes});
      const auto values = tensor.span<uint8_t>();
      REQUIRE(reinterpret_cast<uintptr_t>(values.data()) % 64 == 0);
      REQUIRE(std::all_of(values.begin(), values.end(), [](uint8_t value) { return value == 0; }));
      std::fill(values.begin(), values.end(), uint8_t{7});
    }
}

TEST_CASE("tensors share memory, clones do not") {
  Tensor tensor(DType::F32, {2, 3});
  REQUIRE(tensor.at(5) == 0);
  Tensor shared = tensor;
  Tensor cloned = tensor.clone();
  tensor.set(5, 1.5);
  REQUIRE(shared.at(5) == 1.5);
  REQUIRE(cloned.at(5) == 0);
  REQUIRE(tensor.reshaped({3, 2}).at(5) == 1.5);
  REQUIRE(same_bits(tensor, shared));
  REQUIRE(!same_bits(tensor, cloned));
  REQUIRE(!same_bits(Tensor::scalar(DType::F32, 0.0), Tensor::scalar(DType::F32, -0.0)));
  REQUIRE(reinterpret_cast<uintptr_t>(tensor.raw()) % 64 == 0);
  REQUIRE_THROWS_AS(tensor.span<double>(), InternalError);
}

TEST_CASE("sizes are multiplied only where they do not overflow") {
  const auto count = [](const std::vector<int64_t>& dims, int64_t most = kMostElements) {
    return checked_element_count(dims, most);
  };
  constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
  REQUIRE(count({}) == 1);
  REQUIRE(count({3, 4}, 12) == 12);
  REQUIRE(!count({3, 4}, 11));
  REQUIRE(count({kMostElements}) == kMostElements);
  REQUIRE(!count({kMostElements, 2}));
  REQUIRE(!count({int64_t{1} << 32, int64_t{1} << 32}));
  REQUIRE(!count({kLargest, kLargest}));
  REQUIRE(!count({-1}));
  REQUIRE(count({5, 0}) == 0);
  REQUIRE(!count({0, kLargest}));
  REQUIRE(!count({2}, 0));
  REQUIRE(fits(255, DType::U8));
  REQUIRE(!fits(256, DType::U8));
  REQUIRE(!fits(-1, DType::U8));
  REQUIRE(!fits(2, DType::Bool));
  REQUIRE(!fits(int64_t{1} << 31, DType::I32));
  REQUIRE(fits(kLargest, DType::I64));
}
