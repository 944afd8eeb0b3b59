// A regular file that is open for reading.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gradc {

/// Throws Error (InputOutput, E0911), from the constructor where `path` does not exist, is no
/// regular file or may not be read, from read() where reading fails.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes when it was opened.
  int64_t size() const { return size_; }
  /// Fills `buffer` with the next bytes and returns its size; less only at the end of the file.
  size_t read(std::span<std::byte> buffer);
  /// The same from `offset` bytes after the start of the file, wherever read() stands.
  size_t read_at(int64_t offset, std::span<std::byte> buffer) const;

 private:
  std::string path_;
  int file_ = -1;
  int64_t size_ = 0;
  int64_t position_ = 0;
};

}  // namespace gradc
