// UTF-8: validity, decoding and counting.
#include "frontend/unicode.h"

namespace gradc {
namespace {

bool is_continuation(std::string_view text, size_t offset) {
  return offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80;
}

size_t announced_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

/// 0 if the bytes at `offset` are not a character.
size_t valid_size(std::string_view text, size_t offset) {
  const auto lead = static_cast<unsigned char>(text[offset]);
  const size_t size = announced_size(lead);
  if (size < 2) return size;
  for (size_t i = 1; i < size; ++i)
    if (!is_continuation(text, offset + i)) return 0;
  const auto second = static_cast<unsigned char>(text[offset + 1]);
  const bool is_overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool is_surrogate = lead == 0xED && second >= 0xA0;
  const bool is_too_large = lead == 0xF4 && second >= 0x90;
  return is_overlong || is_surrogate || is_too_large ? 0 : size;
}

}  // namespace

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t offset = 0; offset < text.size();) {
    const size_t size = valid_size(text, offset);
    if (size == 0) return offset;
    offset += size;
  }
  return std::nullopt;
}

size_t character_size(std::string_view text, size_t offset) {
  const size_t size = valid_size(text, offset);
  return size == 0 ? 1 : size;
}

char32_t code_point(std::string_view text, size_t offset) {
  const size_t size = character_size(text, offset);
  const auto lead = static_cast<unsigned char>(text[offset]);
  if (size == 1) return lead;
  char32_t value = lead & (0xFFU >> (size + 1));
  for (size_t i = 1; i < size; ++i)
    value = value << 6 | (static_cast<unsigned char>(text[offset + i]) & 0x3FU);
  return value;
}

int64_t count_code_points(std::string_view text) {
  int64_t count = 0;
  for (size_t offset = 0; offset < text.size(); offset += character_size(text, offset)) ++count;
  return count;
}

std::string encode_utf8(char32_t value) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  if (value < 0x80) return {byte(value)};
  if (value < 0x800) return {byte(0xC0 | value >> 6), byte(0x80 | (value & 0x3F))};
  if (value >= 0xD800 && value <= 0xDFFF) return {};
  if (value < 0x10000)
    return {byte(0xE0 | value >> 12), byte(0x80 | (value >> 6 & 0x3F)),
            byte(0x80 | (value & 0x3F))};
  if (value > 0x10FFFF) return {};
  return {byte(0xF0 | value >> 18), byte(0x80 | (value >> 12 & 0x3F)),
          byte(0x80 | (value >> 6 & 0x3F)), byte(0x80 | (value & 0x3F))};
}

}  // namespace gradc
