// NumPy's array files: .npy, and .npz archives of them.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

/// Fills the buffer and returns its size, less only at the end of the data.
using ReadBytes = std::function<size_t(std::span<std::byte>)>;

/// The header of an array: format versions 1 to 3; bool, u8, i32, i64, bf16 (V2), f16, f32, f64, of
/// either byte order; rows or columns first; at most 32 axes. Throws Error (ModelOrData): E0912
/// where the header has another form, E0913 where it promises more than `most_bytes`, the bytes
/// that can follow.
class NpyArray {
 public:
  NpyArray(std::string name, ReadBytes read, int64_t most_bytes);

  const Type& type() const { return type_; }
  /// Throws Error (ModelOrData, E0912) where it has no rows, as a single number, or rows
  /// of nothing.
  void require_rows() const;
  /// The elements, rows first; to be called once. Throws Error (ModelOrData, E0913) where there are
  /// fewer or more of them.
  Tensor read();

 private:
  void read_header(int64_t most_bytes);
  void parse_header(std::string_view text);
  [[noreturn]] void refuse(const std::string& reason) const;

  std::string name_;
  ReadBytes read_;
  Type type_;
  bool is_big_endian_ = false;
  bool is_columns_first_ = false;
};

/// What stands in front of the elements of an array of that type, rows first and little-endian;
/// format version 1.
std::string npy_header(const Type& type);

/// Whether `path` is a file called *.npy or *.npz.
bool is_npy_file(const std::string& path);
bool is_npz_file(const std::string& path);

/// One field, called like the file. Option `test`: the share of the rows that is held out.
DataSplit load_npy(const DataSource& source);
DataDescription describe_npy(const DataSource& source);

/// A field per array. NAME_train and NAME_test are the two parts of field NAME; an array without
/// such an ending is a field to train on. Without any _test array, option `test` is the share of
/// the rows that is held out. Throws Error (ModelOrData): E0917 for a damaged archive, E0915 where
/// rows, or the fields of both parts, differ.
DataSplit load_npz(const DataSource& source);
DataDescription describe_npz(const DataSource& source);

}  // namespace gradc
