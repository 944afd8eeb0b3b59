// Inflates block by block, so that memory is taken for what is there.
#include "runtime/data/whole_file.h"

#include <algorithm>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/data/byte_stream.h"
#include "runtime/input_file.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr int64_t kBlock = int64_t{1} << 20;
// Text that is worth its name expands ten times; a file that is all one letter 1032 times.
constexpr int64_t kLargestExpansion = 32;
constexpr int64_t kSlackBytes = int64_t{8} << 20;

/// Each block that is inflated, until the end of the file.
template <typename Action>
void for_each_block(ByteStream& stream, Action action) {
  const int64_t most = stream.file_size() * kLargestExpansion + kSlackBytes;
  std::vector<std::byte> block(static_cast<size_t>(std::min(kBlock, stream.size_limit())));
  int64_t total = 0;
  while (const size_t count = stream.read(block)) {
    total += static_cast<int64_t>(count);
    if (total > most)
      throw Error(ExitCode::ModelOrData, "E0914",
                  fmt::format("`{}` inflates to more than {} times its size; inflate it with "
                              "gunzip if that is meant",
                              stream.path(), kLargestExpansion));
    action(std::span<const std::byte>(block).first(count));
  }
}

}  // namespace

std::string read_bytes(const std::string& path) {
  const InputFile file(path);
  check_fits_memory(file.size(), path);
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  bytes.resize(file.read_at(0, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

std::string read_whole(const std::string& path) {
  ByteStream stream(path);
  if (!stream.is_gzip()) return read_bytes(path);
  std::string bytes;
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
