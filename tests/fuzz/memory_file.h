// Bytes as a file that readers can open, without a disk.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace gradc::fuzz {

/// The path of a file of these bytes, valid until the next call.
const std::string& file_of(std::span<const std::byte> bytes);

}  // namespace gradc::fuzz
