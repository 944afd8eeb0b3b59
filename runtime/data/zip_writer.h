// Writes zip archives of stored members.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/atomic_file.h"

namespace gradc {

/// The archive appears complete, on finish(), or not at all. At most 65535 members and 4 GiB, as
/// ZipArchive reads. Throws Error (InputOutput, E0922) where it cannot be written or is too large.
/// The bytes depend on names and contents alone.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : path_(path), file_(path) {}

  /// A member that consists of two parts.
  void add(std::string_view name, std::span<const std::byte> head, std::span<const std::byte> body);
  void finish();

 private:
  void write(std::span<const std::byte> bytes);

  std::string path_;
  AtomicFile file_;
  std::string directory_;
  int64_t members_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace gradc
