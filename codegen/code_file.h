// Files of compiled kernels: bytes that prove to be what they should be, or nothing.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codegen/load_kernels.h"

namespace gradc {

/// 128 bits (XXH3).
using Hash = std::array<uint64_t, 2>;
Hash hash_of(std::string_view bytes);
/// 32 hexadecimal digits.
std::string to_text(const Hash& hash);

/// Little endian: "gradcode", version, number of objects, `key`, checksum; the size of each object;
/// the objects. The checksum is over all bytes but its own.
std::string to_code_file(const KernelObjects& objects, const Hash& key);
/// Nothing for bytes that are not a whole, undamaged file of this version with this key.
std::optional<KernelObjects> from_code_file(std::string_view bytes, const Hash& key);

}  // namespace gradc
