// Files of the cache of kernels, and the objects in them.
#include <cstring>

#include "codegen/code_file.h"
#include "runtime/object_image.h"
#include "tests/fuzz/target.h"

using namespace gradc;

namespace {

constexpr size_t kKeyOffset = 16;
constexpr size_t kChecksumOffset = 32;

void open_object(std::span<const std::byte> object) {
  static const ExternalFunction externals[] = {{"memset", reinterpret_cast<void*>(&std::memset)}};
  const ObjectImage image(object, externals);
  image.find("kernel_0");
}

}  // namespace

/// An object, or a file of objects, whose checksum is made right: it would keep out everything.
FUZZ_TARGET(cache_file) {
  if (bytes.size() >= 4 && fuzz::as_text(bytes).starts_with("\x7f"
                                                            "ELF"))
    return open_object(bytes);
  std::string file(fuzz::as_text(bytes));
  Hash key{};
  from_code_file(file, key);
  if (file.size() < kChecksumOffset + sizeof(Hash)) return;
  std::memcpy(&key, file.data() + kKeyOffset, sizeof(key));
  std::memset(file.data() + kChecksumOffset, 0, sizeof(Hash));
  const Hash checksum = hash_of(file);
  std::memcpy(file.data() + kChecksumOffset, &checksum, sizeof(checksum));
  const std::optional<KernelObjects> objects = from_code_file(file, key);
  if (!objects) return;
  for (const std::string& object : *objects) open_object(std::as_bytes(std::span(object)));
}
