// Reading checks the sizes first, then the checksum over everything.
#include "codegen/code_file.h"

#include <cstring>

#include "runtime/checksum.h"

namespace gradc {
namespace {

struct Header {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t object_count;
  Hash key;
  Hash checksum;
};

constexpr std::array<char, 8> kMagic = {'g', 'r', 'a', 'd', 'c', 'o', 'd', 'e'};
constexpr uint32_t kVersion = 1;

/// With zeros where the checksum stands.
Hash checksum_of(std::string bytes) {
  std::memset(bytes.data() + offsetof(Header, checksum), 0, sizeof(Hash));
  return hash_of(bytes);
}

void append(std::string& bytes, const void* data, size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

}  // namespace

Hash hash_of(std::string_view bytes) { return content_hash(std::as_bytes(std::span(bytes))); }

std::string to_text(const Hash& hash) { return fmt::format("{:016x}{:016x}", hash[0], hash[1]); }

std::string to_code_file(const KernelObjects& objects, const Hash& key) {
  const Header header{kMagic, kVersion, static_cast<uint32_t>(objects.size()), key, {}};
  std::string bytes;
  append(bytes, &header, sizeof(header));
  for (const std::string& object : objects) {
    const uint64_t size = object.size();
    append(bytes, &size, sizeof(size));
  }
  for (const std::string& object : objects) bytes += object;
  const Hash checksum = checksum_of(bytes);
  std::memcpy(bytes.data() + offsetof(Header, checksum), &checksum, sizeof(checksum));
  return bytes;
}

std::optional<KernelObjects> from_code_file(std::string_view bytes, const Hash& key) {
  Header header;
  if (bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kMagic || header.version != kVersion || header.key != key ||
      header.checksum != checksum_of(std::string(bytes)))
    return std::nullopt;
  bytes.remove_prefix(sizeof(header));
  if (header.object_count > bytes.size() / sizeof(uint64_t)) return std::nullopt;
  std::string_view contents = bytes.substr(header.object_count * sizeof(uint64_t));
  KernelObjects objects;
  for (uint32_t i = 0; i < header.object_count; ++i) {
    uint64_t size;
    std::memcpy(&size, bytes.data() + i * sizeof(size), sizeof(size));
    if (size > contents.size()) return std::nullopt;
    objects.emplace_back(contents.substr(0, size));
    contents.remove_prefix(size);
  }
  if (!contents.empty()) return std::nullopt;
  return objects;
}

}  // namespace gradc
