// Temporary name, fsync, rename, fsync of the folder.
#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/core/error.h"

namespace gradc {

namespace {

/// The file that a chain of links leads to, be it there or not.
std::string followed(const std::string& path) {
  constexpr int kMostLinks = 40;
  std::filesystem::path target = path;
  std::error_code fault;
  for (int links = 0; links < kMostLinks; ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, fault);
    if (fault) break;
    target = target.parent_path() / next;
  }
  return target.string();
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(followed(path)) {
  struct stat status {};
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    fail("write");
  }
  if (exists && !S_ISREG(status.st_mode)) {
    file_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) fail("open");
    return;
  }
  open_temporary();
  if (exists) std::ignore = fchmod(file_, status.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) close(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action) const {
  throw Error(ExitCode::InputOutput, "E0922",
              fmt::format("cannot {} `{}`: {}", action, path_, std::strerror(errno)));
}

void AtomicFile::open_temporary() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string name = fmt::format("{}.{}-{}.tmp", path_, getpid(), attempt);
    file_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ >= 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) break;
  }
  fail("create");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write");
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void AtomicFile::make_executable() {
  struct stat status {};
  if (fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  const mode_t readable = status.st_mode & (S_IRUSR | S_IRGRP | S_IROTH);
  if (fchmod(file_, (status.st_mode & 07777) | readable >> 2) != 0) fail("make executable");
}

void AtomicFile::commit(Durability durability) {
  if (temporary_.empty()) {
    const int result = close(std::exchange(file_, -1));
    if (result != 0) fail("write");
    return;
  }
  const bool is_synced = durability == Durability::Crash;
  if (is_synced && fsync(file_) != 0) fail("sync");
  if (close(std::exchange(file_, -1)) != 0) fail("write");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename the new file to");
  temporary_.clear();
  if (is_synced) sync_folder();
}

void AtomicFile::sync_folder() const {
  const auto parent = std::filesystem::path(path_).parent_path();
  const std::string folder_name = parent.empty() ? "." : parent.string();
  const int folder = open(folder_name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  // Some file systems cannot sync a folder (EINVAL); the file itself is safe by now.
  const bool is_synced = fsync(folder) == 0 || errno == EINVAL;
  close(folder);
  if (!is_synced) fail("sync the folder of");
}

void write_file(const std::string& path, std::span<const std::byte> bytes,
                AtomicFile::Durability durability) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit(durability);
}

void check_writable(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
      std::filesystem::is_directory(status))
    AtomicFile{path};
}

}  // namespace gradc
