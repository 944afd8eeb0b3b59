// IDX files: the format of the MNIST archive, plain or gzip.
#pragma once
#include <string>

#include "runtime/core/tensor.h"
#include "runtime/data/byte_stream.h"

namespace gradc {

/// An IDX file whose header has been read and checked: two zero bytes, a dtype code (8 u8, 12 i32,
/// 13 f32, 14 f64), the rank (1 to 8), the size of each axis (32 bits, big-endian), the elements
/// row-major and big-endian.
/// Throws Error: InputOutput, E0911 where the file cannot be read; ModelOrData, E0912 where the
/// header is none, E0913 where it promises more than the file can hold, E0914 where gzip data is
/// damaged.
class IdxFile {
 public:
  explicit IdxFile(const std::string& path);

  const std::string& path() const { return stream_.path(); }
  const Type& type() const { return type_; }

  /// The elements; to be called once. Memory grows as data arrives and never past what the header
  /// promises. Throws Error (ModelOrData, E0913) where the file has fewer or more bytes than that,
  /// E0914 as above, (InputOutput, E0802) where the machine has less memory.
  Tensor read();

 private:
  void read_header();
  void check_size() const;

  ByteStream stream_;
  Type type_;
  int64_t header_bytes_ = 0;
};

/// IdxFile(path).read().
Tensor read_idx(const std::string& path);

}  // namespace gradc
