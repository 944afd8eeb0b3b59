// The members of a zip archive, stored or deflated.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gradc {

/// Size and place of a member as the archive's directory has them.
struct ZipMember {
  std::string name;
  bool is_deflated = false;
  uint32_t checksum = 0;
  int64_t packed_bytes = 0;
  int64_t bytes = 0;
  int64_t header_offset = 0;
};

/// A file of at most 4 GiB, read whole; members point into it. No member is larger than what its
/// packed bytes can inflate to, and all of them together are packed into no more bytes than the
/// file's. Throws Error: InputOutput, E0911 where the file cannot be read; ModelOrData, E0917 where
/// it is no archive, or one of a kind that is not supported (several parts, encrypted, zip64).
class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<ZipMember>& members() const { return members_; }
  /// The packed bytes of a member.
  std::span<const std::byte> packed(const ZipMember& member) const;

 private:
  std::string path_;
  std::string bytes_;
  std::vector<ZipMember> members_;
};

/// Reads one member from its start. Throws Error (ModelOrData, E0917) where its data is damaged.
class ZipStream {
 public:
  ZipStream(const ZipArchive& archive, const ZipMember& member);
  ~ZipStream();
  ZipStream(const ZipStream&) = delete;
  ZipStream& operator=(const ZipStream&) = delete;

  /// Fills `buffer` and returns its size; less only at the end, where the checksum is compared.
  size_t read(std::span<std::byte> buffer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
