// Element types: their names, sizes, classes and the C++ types that hold them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/core/error.h"

namespace gradc {

/// In promotion order. A bool is one byte, 0 or 1.
enum class DType : uint8_t { Bool, U8, I32, I64, BF16, F16, F32, F64 };

inline constexpr DType kAllDTypes[] = {DType::Bool, DType::U8,  DType::I32, DType::I64,
                                       DType::BF16, DType::F16, DType::F32, DType::F64};

int64_t size_bytes(DType dtype);
std::string_view name(DType dtype);
std::optional<DType> parse_dtype(std::string_view name);

constexpr bool is_float(DType dtype) { return dtype >= DType::BF16; }
/// u8, i32, i64.
constexpr bool is_int(DType dtype) { return dtype >= DType::U8 && dtype <= DType::I64; }

/// Storage of the 16-bit floats; arithmetic goes through float. Conversion rounds to nearest even.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  explicit operator float() const;
};
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value);
  explicit operator float() const;
};

template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls `visit(TypeTag<T>{})` with the C++ type that holds `dtype` (bool is held as uint8_t).
template <typename Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visit) {
  switch (dtype) {
    case DType::Bool:
    case DType::U8:
      return visit(TypeTag<uint8_t>{});
    case DType::I32:
      return visit(TypeTag<int32_t>{});
    case DType::I64:
      return visit(TypeTag<int64_t>{});
    case DType::BF16:
      return visit(TypeTag<BFloat16>{});
    case DType::F16:
      return visit(TypeTag<Float16>{});
    case DType::F32:
      return visit(TypeTag<float>{});
    case DType::F64:
      return visit(TypeTag<double>{});
  }
  CHECK(false, "dtype {}", static_cast<int>(dtype));
}

}  // namespace gradc

template <>
struct fmt::formatter<gradc::DType> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(gradc::DType dtype, Context& context) const {
    return fmt::formatter<std::string_view>::format(gradc::name(dtype), context);
  }
};
