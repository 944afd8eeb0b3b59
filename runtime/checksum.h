// Numbers that change with any bit of some bytes.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gradc {

/// XXH3, 64 bits: finds damage, not forgery.
uint64_t checksum(std::span<const std::byte> bytes);
/// 16 hexadecimal digits.
std::string checksum_text(std::span<const std::byte> bytes);
/// XXH3, 128 bits: for names of contents.
std::array<uint64_t, 2> content_hash(std::span<const std::byte> bytes);

}  // namespace gradc
