// A file in memory, as it is or inflated where it is gzip.
#pragma once
#include <cstdint>
#include <string>

namespace gradc {

/// The bytes as they are. Throws Error (InputOutput): E0911, E0802 as below.
std::string read_bytes(const std::string& path);

/// Inflated where it is gzip, up to 32 times the file's size and 8 MiB.
/// Throws Error: InputOutput, E0911 where the file cannot be read, E0802 where it holds more than
/// the machine's memory; ModelOrData, E0914 where gzip data is damaged or expands
/// further than that.
std::string read_whole(const std::string& path);

/// Bytes of read_whole(path); reads the file only where it is gzip. Throws the same.
int64_t whole_size(const std::string& path);

}  // namespace gradc
