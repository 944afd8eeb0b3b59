// The bytes of a file in order, inflated where the file is gzip.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gradc {

/// The most bytes that deflate makes of one: 258 out of two bits (zlib's technical details).
inline constexpr int64_t kDeflateExpansion = 1032;

/// Reads a regular file from its start in constant memory. A file that begins with the gzip magic
/// is inflated (all members of a file with several), and its checksums are verified at the end.
class ByteStream {
 public:
  /// Throws Error (InputOutput, E0911) where `path` does not exist, is no regular file or cannot be
  /// read.
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;

  /// Fills `buffer` and returns its size; less only at the end of the data. Throws Error
  /// (InputOutput, E0911) where reading fails, (ModelOrData, E0914) where gzip data is damaged or
  /// ends early.
  size_t read(std::span<std::byte> buffer);

  const std::string& path() const;
  bool is_gzip() const;
  /// Size of the file itself, so compressed under gzip.
  int64_t file_size() const;
  /// No more bytes than these can come out: the file's size, or 1032 times that under gzip.
  int64_t size_limit() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
