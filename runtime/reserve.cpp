// Lazily committed memory through anonymous mappings.
#include "runtime/reserve.h"

#include <sys/mman.h>
#include <unistd.h>

namespace gradc {
namespace {

constexpr int64_t kMappedFrom = int64_t{1} << 20;

[[noreturn]] void throw_too_large(int64_t bytes, const std::string& source) {
  throw Error(ExitCode::InputOutput, "E0802",
              fmt::format("`{}` needs {} bytes of memory; this machine has {}", source, bytes,
                          physical_memory_bytes()));
}

}  // namespace

int64_t physical_memory_bytes() {
  static const int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * int64_t{sysconf(_SC_PAGESIZE)};
  return bytes;
}

void check_fits_memory(int64_t bytes, const std::string& source) {
  if (bytes > physical_memory_bytes()) throw_too_large(bytes, source);
}

Tensor reserve_tensor(const Type& type, const std::string& source) {
  const int64_t bytes = type.size_bytes();
  check_fits_memory(bytes, source);
  if (bytes < kMappedFrom) return Tensor(type);
  const auto length = static_cast<size_t>(bytes);
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw_too_large(bytes, source);
  std::shared_ptr<void> owner(memory, [length](void* address) { munmap(address, length); });
  return {type, static_cast<std::byte*>(memory), std::move(owner)};
}

}  // namespace gradc
