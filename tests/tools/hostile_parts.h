// What hostile files are put together from.
#pragma once
#include "tests/deflated.h"
#include "tests/tools/hostile_files.h"

namespace gradc {

inline constexpr size_t kLong = 100'000;

inline std::string repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

inline std::string little(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}
inline std::string big(uint64_t value, int width) {
  const std::string bytes = little(value, width);
  return {bytes.rbegin(), bytes.rend()};
}

inline std::string gzip(const std::string& bytes) { return testing::deflated(bytes, 31); }

/// Collects files under names that begin alike.
class Files {
 public:
  explicit Files(std::string ending) : ending_(std::move(ending)) {}
  void add(const std::string& name, std::string bytes) {
    files_.push_back({name + ending_, std::move(bytes)});
  }
  std::vector<HostileFile> take() { return std::move(files_); }

 private:
  std::string ending_;
  std::vector<HostileFile> files_;
};

}  // namespace gradc
