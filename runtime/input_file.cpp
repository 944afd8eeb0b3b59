// POSIX reads.
#include "runtime/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/core/error.h"

namespace gradc {
namespace {

[[noreturn]] void throw_unreadable(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::InputOutput, "E0911", fmt::format("cannot read `{}`: {}", path, reason));
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: a pipe must be refused, not waited for.
  file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) throw_unreadable(path, std::strerror(errno));
  struct stat status {};
  const bool is_known = fstat(file_, &status) == 0;
  if (is_known && S_ISREG(status.st_mode)) {
    size_ = status.st_size;
    return;
  }
  close(file_);
  throw_unreadable(path, is_known && S_ISDIR(status.st_mode)
                             ? "a file is expected, this is a folder"
                             : "a regular file is expected");
}

InputFile::~InputFile() { close(file_); }

size_t InputFile::read(std::span<std::byte> buffer) {
  const size_t count = read_at(position_, buffer);
  position_ += static_cast<int64_t>(count);
  return count;
}

size_t InputFile::read_at(int64_t offset, std::span<std::byte> buffer) const {
  constexpr size_t kMostAtOnce = size_t{1} << 30;
  size_t done = 0;
  while (done < buffer.size()) {
    const size_t wanted = std::min(buffer.size() - done, kMostAtOnce);
    const ssize_t count =
        pread(file_, buffer.data() + done, wanted, offset + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_unreadable(path_, std::strerror(errno));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace gradc
