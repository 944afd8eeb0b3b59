// Named tensors in one file: the safetensors format.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

struct NamedTensor {
  std::string name;
  Tensor value;
};

/// The content of a safetensors file. Names are unique; their order is kept in the file.
struct NamedTensors {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// nullptr where there is none of that name. Linear in the number of tensors.
  const Tensor* find(std::string_view name) const;
  void add(std::string name, Tensor value) {
    tensors.push_back({std::move(name), std::move(value)});
  }
};

/// File: 8 bytes N (little-endian), N bytes of JSON {"name": {"dtype", "shape", "data_offsets"},
/// ...,
/// "__metadata__": {string: string}} padded with spaces, then the data, row-major, little-endian,
/// without gaps. Tensors of wide elements come first in the data, which aligns every tensor to its
/// element. dtypes BOOL U8 I32 I64 BF16 F16 F32 F64. Checksums (checksum.h, 16 hexadecimal digits)
/// are part of the metadata: "xxh3:NAME" of each tensor's bytes, and "xxh3" of the header itself,
/// taken with zeros in its place; reading takes them out again.
/// The file appears complete or not at all (AtomicFile). Throws Error (InputOutput, E0922).
void write_safetensors(const std::string& path, const NamedTensors& content);

/// Nothing of the file is believed before it is checked: the header's size (at most 32 MiB and the
/// file), names (unique, at most 4096 bytes), dtypes, at most 32 axes, and that the tensors' bytes
/// follow each other and fill the file exactly; where the file has checksums, that header and
/// tensors are what was written. Memory stays within a small multiple of the file.
/// Throws Error: InputOutput, E0911 where the file cannot be read; ModelOrData, E0921 that names
/// file and tensor otherwise; InputOutput, E0802 where the machine has less memory.
NamedTensors read_safetensors(const std::string& path);

}  // namespace gradc
