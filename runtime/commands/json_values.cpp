// Writes numbers so that they read back exactly.
#include "runtime/commands/json_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gradc {
namespace {

nlohmann::ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
}

nlohmann::ordered_json element(const Tensor& tensor, int64_t index) {
  if (tensor.dtype() == DType::Bool) return tensor.at(index) != 0;
  if (tensor.dtype() == DType::I64) return tensor.span<int64_t>()[static_cast<size_t>(index)];
  if (is_int(tensor.dtype())) return static_cast<int64_t>(tensor.at(index));
  return number(tensor.at(index));
}

nlohmann::ordered_json nested(const Tensor& tensor, int64_t axis, int64_t offset) {
  if (axis == tensor.shape().rank()) return element(tensor, offset);
  const int64_t stride = tensor.shape().strides()[static_cast<size_t>(axis)];
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (int64_t i = 0; i < tensor.shape()[axis]; ++i)
    array.push_back(nested(tensor, axis + 1, offset + i * stride));
  return array;
}

}  // namespace

void add_values(nlohmann::ordered_json& object, const NamedValues& values,
                const std::string& prefix) {
  for (const auto& [name, value] : values) object[prefix + name] = number(value);
}

nlohmann::ordered_json tensor_as_json(const Tensor& tensor) { return nested(tensor, 0, 0); }

void add_tables(nlohmann::ordered_json& object, const NamedTensors& tables,
                const std::string& prefix) {
  for (const NamedTensor& table : tables.tensors)
    object[prefix + table.name] = tensor_as_json(table.value);
}

std::string table_text(const std::string& name, const Tensor& table) {
  const Shape& shape = table.shape();
  const int64_t width = shape.rank() == 0 ? 1 : shape[shape.rank() - 1];
  std::vector<std::string> cells;
  size_t widest = 0;
  for (int64_t i = 0; i < table.size(); ++i) {
    cells.push_back(fmt::format("{:.6g}", table.at(i)));
    widest = std::max(widest, cells.back().size());
  }
  std::string text = name + ":\n";
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool is_last = (i + 1) % static_cast<size_t>(width) == 0;
    text += fmt::format("  {:>{}}{}", cells[i], widest, is_last ? "\n" : "");
  }
  return text;
}

nlohmann::ordered_json row_as_json(const Tensor& tensor, int64_t row) {
  return nested(tensor, 1, row * tensor.shape().strides().front());
}

std::string line_text(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void print_line(const nlohmann::ordered_json& object) {
  fmt::print("{}\n", line_text(object));
  std::fflush(stdout);
}

}  // namespace gradc
