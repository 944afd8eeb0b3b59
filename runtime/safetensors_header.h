// The checked header of a safetensors file: what is where.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/shape.h"

namespace gradc {

/// One tensor: its elements are the bytes [begin, end) of the data that follows the header.
struct SafetensorsEntry {
  std::string name;
  Type type;
  int64_t begin = 0;
  int64_t end = 0;
};

struct SafetensorsHeader {
  /// In the order of the text.
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// The name that the format gives a dtype: "F32".
std::string_view safetensors_name(DType dtype);

/// Parses the JSON `text` of the header of `path` and checks all of it, including that the entries
/// fill `data_bytes` without gap or overlap. Throws Error (ModelOrData, E0921).
SafetensorsHeader parse_safetensors_header(std::string_view text, int64_t data_bytes,
                                           const std::string& path);

}  // namespace gradc
