// UTF-8: validity, decoding and counting.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradc {

/// The offset of the first byte that is not part of valid UTF-8 (overlong forms, surrogates and
/// values above U+10FFFF are invalid).
std::optional<size_t> find_invalid_utf8(std::string_view text);
/// The number of bytes of the character at `offset`, 1 to 4; 1 for an invalid byte.
size_t character_size(std::string_view text, size_t offset);
/// The code point at `offset` of valid UTF-8.
char32_t code_point(std::string_view text, size_t offset);
/// The number of code points, counting an invalid byte as one.
int64_t count_code_points(std::string_view text);
/// Empty if `value` is a surrogate or above U+10FFFF.
std::string encode_utf8(char32_t value);

}  // namespace gradc
