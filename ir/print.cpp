// Prints graphs and modules; parse_text.cpp is the exact inverse.
#include <iterator>

#include "ir/op.h"
#include "ir/text.h"

namespace gradc {
namespace {

struct Buffer {
  fmt::memory_buffer text;
  bool has_origins = true;
};

/// Up to this many elements a tensor is printed as numbers, beyond as bytes.
constexpr int64_t kReadableElements = 16;

void append(Buffer& out, std::string_view text) {
  out.text.append(text.data(), text.data() + text.size());
}

template <typename... Args>
void append(Buffer& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out.text), format, std::forward<Args>(args)...);
}

void append_string(Buffer& out, std::string_view text) {
  out.text.push_back('"');
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      append(out, "\\{}", c);
    else if (c == '\n')
      append(out, "\\n");
    else if (byte < 0x20 || byte == 0x7F)
      append(out, "\\x{:02x}", byte);
    else
      out.text.push_back(c);
  }
  out.text.push_back('"');
}

/// A name as it is where it is a plain word, else a string.
void append_name(Buffer& out, std::string_view name) {
  bool is_word = !name.empty();
  for (char c : name)
    is_word &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
               (c >= '0' && c <= '9' && c != name.front());
  if (is_word)
    append(out, name);
  else
    append_string(out, name);
}

/// The shortest decimal that reads back as the same number; NaNs but the usual one by their bits.
template <typename Float, typename Bits>
void append_float(Buffer& out, Float value, Bits bits, Bits usual_nan, bool mark_float) {
  if (std::isnan(value)) {
    if (bits == usual_nan)
      append(out, "nan");
    else
      append(out, "nan:{:x}", bits);
  } else if (std::isinf(value)) {
    append(out, value < 0 ? "-inf" : "inf");
  } else {
    const size_t start = out.text.size();
    append(out, "{}", value);
    const std::string_view digits(out.text.data() + start, out.text.size() - start);
    if (mark_float && digits.find_first_of(".e") == std::string_view::npos) append(out, ".0");
  }
}

void append_f64(Buffer& out, double value, bool mark_float) {
  append_float(out, value, std::bit_cast<uint64_t>(value), uint64_t{0x7FF8000000000000},
               mark_float);
}

void append_element(Buffer& out, const Tensor& tensor, int64_t position) {
  const auto i = static_cast<size_t>(position);
  switch (tensor.dtype()) {
    case DType::Bool:
      return append(out, "{}", tensor.span<uint8_t>()[i]);
    case DType::U8:
      return append(out, "{}", tensor.span<uint8_t>()[i]);
    case DType::I32:
      return append(out, "{}", tensor.span<int32_t>()[i]);
    case DType::I64:
      return append(out, "{}", tensor.span<int64_t>()[i]);
    case DType::BF16: {
      const BFloat16 value = tensor.span<BFloat16>()[i];
      return append_float(out, static_cast<float>(value), value.bits, uint16_t{0x7FC0}, false);
    }
    case DType::F16: {
      const Float16 value = tensor.span<Float16>()[i];
      return append_float(out, static_cast<float>(value), value.bits, uint16_t{0x7E00}, false);
    }
    case DType::F32: {
      const float value = tensor.span<float>()[i];
      return append_float(out, value, std::bit_cast<uint32_t>(value), uint32_t{0x7FC00000}, false);
    }
    case DType::F64:
      return append_f64(out, tensor.span<double>()[i], false);
  }
}

void append_type(Buffer& out, const Type& type) {
  append(out, name(type.dtype));
  append(out, "[{}]", fmt::join(type.shape.dims(), ", "));
}

void append_tensor(Buffer& out, const Tensor& tensor) {
  append_type(out, tensor.type());
  if (tensor.size() > kReadableElements) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    append(out, " hex \"");
    for (int64_t i = 0; i < tensor.size_bytes(); ++i) {
      const auto byte = static_cast<unsigned>(tensor.raw()[i]);
      out.text.push_back(kDigits[byte >> 4]);
      out.text.push_back(kDigits[byte & 15]);
    }
    out.text.push_back('"');
    return;
  }
  append(out, " (");
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (i > 0) append(out, ", ");
    append_element(out, tensor, i);
  }
  append(out, ")");
}

void append_graph(Buffer& out, const Graph& graph, size_t indent);

void append_value(Buffer& out, const AttrValue& value, size_t indent) {
  switch (kind_of(value)) {
    case AttrKind::Bool:
      return append(out, std::get<bool>(value) ? "true" : "false");
    case AttrKind::Int:
      return append(out, "{}", std::get<int64_t>(value));
    case AttrKind::Float:
      return append_f64(out, std::get<double>(value), true);
    case AttrKind::String:
      return append_string(out, std::get<std::string>(value));
    case AttrKind::Ints:
      return append(out, "[{}]", fmt::join(std::get<std::vector<int64_t>>(value), ", "));
    case AttrKind::DType:
      return append(out, name(std::get<DType>(value)));
    case AttrKind::Tensor:
      return append_tensor(out, std::get<Tensor>(value));
    case AttrKind::Body:
      if (std::get<BodyRef>(value) == nullptr) return append(out, "null");
      return append_graph(out, *std::get<BodyRef>(value), indent);
  }
}

void append_values(Buffer& out, const std::vector<ValueId>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) append(out, ", ");
    append(out, "%{}", index(values[i]));
  }
}

void append_origin(Buffer& out, const Origin& origin) {
  append(out, " @ ");
  append_string(out, origin.file);
  append(out, ":{}:{}", origin.line, origin.column);
  if (origin.role.empty()) return;
  append(out, " ");
  append_string(out, origin.role);
}

/// Without the line's indentation and end. Types that do not exist (in a broken graph) are left
/// out.
void append_node(Buffer& out, const Graph& graph, const Node& node, size_t indent) {
  append_values(out, node.results);
  append(out, node.results.empty() ? "" : " = ");
  append(out, op_info(node.kind).name);
  append(out, "(");
  append_values(out, node.operands);
  append(out, ")");
  if (!node.attrs.entries().empty()) {
    append(out, " {");
    std::string_view separator;
    for (const auto& [key, value] : node.attrs.entries()) {
      append(out, separator);
      append_name(out, key);
      append(out, " = ");
      append_value(out, value, indent);
      separator = ", ";
    }
    append(out, "}");
  }
  for (size_t i = 0; i < node.results.size(); ++i) {
    if (index(node.results[i]) >= graph.value_count()) continue;
    append(out, i == 0 ? " : " : ", ");
    append_type(out, graph.type(node.results[i]));
  }
  if (node.origin != nullptr && out.has_origins) append_origin(out, *node.origin);
}

void append_indent(Buffer& out, size_t indent) {
  for (size_t i = 0; i < indent; ++i) out.text.push_back(' ');
}

/// Ends without a newline, so that it can be the value of an attribute.
void append_graph(Buffer& out, const Graph& graph, size_t indent) {
  append(out, "graph ");
  append(out, name(graph.mode));
  if (!graph.name.empty()) {
    append(out, " ");
    append_string(out, graph.name);
  }
  if (graph.rows != 0) append(out, " rows={}", graph.rows);
  append(out, " {\n");
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    append_indent(out, indent + 2);
    append(out, "%{} = input {} ", i, name(input.kind));
    append_string(out, input.name);
    if (input.limit != 0) append(out, " limit={}", input.limit);
    append(out, " : ");
    append_type(out, graph.type(Graph::input_value(i)));
    append(out, "\n");
  }
  for (const Node& node : graph.nodes()) {
    append_indent(out, indent + 2);
    append_node(out, graph, node, indent + 2);
    append(out, "\n");
  }
  for (const Output& output : graph.outputs()) {
    append_indent(out, indent + 2);
    append(out, "output {} ", name(output.kind));
    append_string(out, output.name);
    append(out, " = %{}\n", index(output.value));
  }
  append_indent(out, indent);
  append(out, "}");
}

}  // namespace

std::string print_node(const Graph& graph, const Node& node) {
  Buffer out;
  append_node(out, graph, node, 0);
  return fmt::to_string(out.text);
}

std::string print(const Graph& graph) {
  Buffer out;
  append_graph(out, graph, 0);
  append(out, "\n");
  return fmt::to_string(out.text);
}

std::string print_without_origins(const Graph& graph) {
  Buffer out;
  out.has_origins = false;
  append_graph(out, graph, 0);
  return fmt::to_string(out.text);
}

std::string print(const Module& module) {
  Buffer out;
  append(out, "graph file ");
  append_name(out, module.name);
  append(out, "\n");
  for (const auto& [key, value] : module.settings.entries()) {
    append(out, "setting ");
    append_name(out, key);
    append(out, " = ");
    append_value(out, value, 0);
    append(out, "\n");
  }
  for (const Graph& graph : module.graphs) {
    append_graph(out, graph, 0);
    append(out, "\n");
  }
  return fmt::to_string(out.text);
}

}  // namespace gradc
