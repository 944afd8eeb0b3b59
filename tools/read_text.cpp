// Reads with a limit, so that an endless input ends.
#include "tools/read_text.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "runtime/core/error.h"

namespace gradc {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

[[noreturn]] void cannot_read(const std::string& path, const char* why) {
  throw Error(ExitCode::InputOutput, "E0911", fmt::format("cannot read {}: {}", path, why));
}

std::string read_file(const std::string& path) {
  struct FileCloser {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, FileCloser> file(path == "-" ? stdin
                                                                : std::fopen(path.c_str(), "rb"));
  if (!file) cannot_read(path, std::strerror(errno));
  struct stat status = {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode))
    cannot_read(path, "it is a folder");
  std::string text;
  char block[1 << 16];
  while (const size_t count = std::fread(block, 1, sizeof block, file.get())) {
    text.append(block, count);
    if (text.size() > kMaxBytes)
      throw Error(ExitCode::ModelOrData, "E0106", fmt::format("{} is longer than 1 GiB", path));
  }
  if (std::ferror(file.get()) != 0) cannot_read(path, std::strerror(errno));
  return text;
}

}  // namespace

std::string read_text(const std::string& path) {
  if (path != "-") return read_file(path);
  static const std::string input = read_file(path);
  return input;
}

}  // namespace gradc
