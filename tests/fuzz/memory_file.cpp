// One memfd, opened by its name in /proc.
#include "tests/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace gradc::fuzz {

const std::string& file_of(std::span<const std::byte> bytes) {
  static const int file = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto size = static_cast<ssize_t>(bytes.size());
  if (ftruncate(file, 0) != 0 || pwrite(file, bytes.data(), bytes.size(), 0) != size) std::abort();
  return path;
}

}  // namespace gradc::fuzz
