// The bounds of what is read.
#include "runtime/archive.h"

namespace gradc {

const std::byte* ByteReader::take(size_t size) {
  CHECK(position_ <= bytes_.size() && size <= bytes_.size() - position_, "{} bytes at {} of {}",
        size, position_, bytes_.size());
  const std::byte* data = bytes_.data() + position_;
  position_ += size;
  return data;
}

size_t ByteReader::length() {
  uint64_t size = 0;
  get(size);
  CHECK(size <= bytes_.size(), "a length of {}", size);
  return size;
}

void ByteReader::check_alternative(size_t index, size_t count) {
  CHECK(index < count, "alternative {} of {}", index, count);
}

}  // namespace gradc
