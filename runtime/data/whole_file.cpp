// Reads block by block, so that memory is taken for what is there.
#include "runtime/data/whole_file.h"

#include <algorithm>
#include <vector>

#include "runtime/data/byte_stream.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr size_t kBlock = size_t{1} << 20;

/// The size of each block that was read, until the end of the file.
template <typename Action>
void for_each_block(ByteStream& stream, Action action) {
  std::vector<std::byte> block(kBlock);
  while (const size_t count = stream.read(block))
    action(std::span<const std::byte>(block).first(count));
}

}  // namespace

std::string read_whole(const std::string& path) {
  ByteStream stream(path);
  std::string bytes;
  if (!stream.is_gzip()) {
    check_fits_memory(stream.file_size(), path);
    bytes.reserve(static_cast<size_t>(stream.file_size()));
  }
  for_each_block(stream, [&](std::span<const std::byte> block) {
    // A string that grows holds its old and its new memory at once.
    check_fits_memory(static_cast<int64_t>(bytes.size() + block.size()) * 3, path);
    bytes.append(reinterpret_cast<const char*>(block.data()), block.size());
  });
  return bytes;
}

int64_t whole_size(const std::string& path) {
  ByteStream stream(path);
  if (!stream.is_gzip()) return stream.file_size();
  int64_t size = 0;
  for_each_block(stream, [&](std::span<const std::byte> block) {
    size += static_cast<int64_t>(block.size());
  });
  return size;
}

}  // namespace gradc
