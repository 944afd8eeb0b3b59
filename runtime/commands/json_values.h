// Values and tensors as JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/core/tensor.h"
#include "runtime/safetensors.h"
#include "runtime/session.h"

namespace gradc {

/// Adds each value under its name; NaN and infinities, which JSON has no numbers for, as strings.
void add_values(nlohmann::ordered_json& object, const NamedValues& values,
                const std::string& prefix = "");

/// Nested arrays in the tensor's shape.
nlohmann::ordered_json tensor_as_json(const Tensor& tensor);
/// Adds each tensor under its name, as nested arrays.
void add_tables(nlohmann::ordered_json& object, const NamedTensors& tables,
                const std::string& prefix = "");

/// For people: the name and its numbers, a line for each row.
std::string table_text(const std::string& name, const Tensor& table);

/// Nested arrays of the element at `row` of the first axis.
nlohmann::ordered_json row_as_json(const Tensor& tensor, int64_t row);

/// One line on stdout; bytes that are no UTF-8 are replaced.
void print_line(const nlohmann::ordered_json& object);
/// The line without its end; bytes that are no UTF-8 are replaced.
std::string line_text(const nlohmann::ordered_json& object);

}  // namespace gradc
