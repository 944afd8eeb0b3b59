// Files that appear complete or not at all.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace gradc {

/// Writes into a temporary file in the folder of `path`; commit() syncs it, renames it to `path`
/// and syncs the folder. Without commit() the temporary file is removed and what was at `path`
/// stays. A link is followed; a pipe or device at `path` is written directly. All members throw
/// Error (InputOutput, E0922) that names the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Whoever may read the file may then execute it.
  void make_executable();
  /// What the file is to survive: a crash of the machine, or only the end of this process, which
  /// takes no time but may leave a file with other contents after a crash.
  enum class Durability { Crash, ProcessEnd };
  void commit(Durability durability = Durability::Crash);

 private:
  [[noreturn]] void fail(const char* action) const;
  void open_temporary();
  void sync_folder() const;

  std::string path_;
  // Empty where `path_` itself is written.
  std::string temporary_;
  int file_ = -1;
};

/// A file of these bytes, as AtomicFile writes it.
void write_file(const std::string& path, std::span<const std::byte> bytes,
                AtomicFile::Durability durability = AtomicFile::Durability::Crash);

/// Throws now what writing `path` would throw later. A pipe or device is not opened.
void check_writable(const std::string& path);

}  // namespace gradc
