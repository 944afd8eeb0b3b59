// Names and sizes of the element types; conversion of the 16-bit floats.
#include "runtime/core/dtype.h"

namespace gradc {
namespace {

struct DTypeRow {
  std::string_view name;
  int64_t size_bytes;
};
constexpr DTypeRow kRows[] = {{"bool", 1}, {"u8", 1},  {"i32", 4}, {"i64", 8},
                              {"bf16", 2}, {"f16", 2}, {"f32", 4}, {"f64", 8}};

}  // namespace

int64_t size_bytes(DType dtype) { return kRows[static_cast<int>(dtype)].size_bytes; }

std::string_view name(DType dtype) { return kRows[static_cast<int>(dtype)].name; }

std::optional<DType> parse_dtype(std::string_view text) {
  for (DType dtype : kAllDTypes)
    if (name(dtype) == text) return dtype;
  return std::nullopt;
}

BFloat16::BFloat16(float value) {
  const uint32_t wide = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) {
    bits = static_cast<uint16_t>((wide >> 16) | 0x40);
  } else {
    bits = static_cast<uint16_t>((wide + 0x7FFF + ((wide >> 16) & 1)) >> 16);
  }
}

BFloat16::operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

Float16::Float16(float value) {
  const uint32_t wide = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((wide >> 16) & 0x8000);
  const uint32_t magnitude = wide & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {  // NaN
    bits = static_cast<uint16_t>(sign | 0x7E00);
  } else if (magnitude >= 0x477FF000) {  // 65520 and above round to infinity
    bits = static_cast<uint16_t>(sign | 0x7C00);
  } else if (magnitude < 0x38800000) {  // below 2^-14: denormal, a multiple of 2^-24
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0F;
    bits = static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(scaled)));
  } else {
    const uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
    bits = static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
  }
}

Float16::operator float() const {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F;
  const uint32_t fraction = bits & 0x3FF;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | (fraction << 13));
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

}  // namespace gradc
