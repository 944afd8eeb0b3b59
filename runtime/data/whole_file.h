// A file in memory, inflated where it is gzip.
#pragma once
#include <cstdint>
#include <string>

namespace gradc {

/// Throws Error: InputOutput, E0911 where the file cannot be read, E0802 where it holds more than
/// the machine's memory; ModelOrData, E0914 where gzip data is damaged.
std::string read_whole(const std::string& path);

/// Bytes of read_whole(path); reads the file only where it is gzip. Throws the same.
int64_t whole_size(const std::string& path);

}  // namespace gradc
