// Reads numbers exactly: what the printer wrote comes back bit by bit.
#include "ir/text_values.h"

#include <charconv>
#include <limits>

#include "ir/op.h"

namespace gradc {
namespace {

template <typename T, typename... Base>
bool read_number(std::string_view text, T& value, Base... base) {
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), value, base...);
  return status == std::errc() && end == text.data() + text.size();
}

/// `Bits` are those of Float.
template <typename Float, typename Bits>
Float parse_float_as(TextLexer& lexer) {
  const TextToken token = lexer.take();
  const bool is_number = token.kind == TextToken::Kind::Number;
  if (token.is("nan")) {
    if (!lexer.accept(':')) return std::numeric_limits<Float>::quiet_NaN();
    const TextToken digits = lexer.take();
    Bits bits = 0;
    if (!read_number(digits.text, bits, 16)) lexer.fail(digits, "expected the bits of a NaN");
    return std::bit_cast<Float>(bits);
  }
  if (token.is("inf")) return std::numeric_limits<Float>::infinity();
  if (is_number && token.text == "-inf") return -std::numeric_limits<Float>::infinity();
  Float value = 0;
  if (!is_number || token.text.find_first_of("in") != std::string_view::npos ||
      !read_number(token.text, value))
    lexer.fail(token, fmt::format("expected a number, got `{}`", token.text));
  return value;
}

/// 16-bit floats: by their value, NaNs by their bits.
template <typename Half>
Half parse_half(TextLexer& lexer) {
  if (!lexer.peek().is("nan")) return Half(parse_float_as<float, uint32_t>(lexer));
  lexer.take();
  Half half(std::numeric_limits<float>::quiet_NaN());
  if (!lexer.accept(':')) return half;
  const TextToken digits = lexer.take();
  if (!read_number(digits.text, half.bits, 16)) lexer.fail(digits, "expected the bits of a NaN");
  return half;
}

template <typename T>
T parse_element(TextLexer& lexer, bool is_bool) {
  if constexpr (std::is_same_v<T, float>) {
    return parse_float_as<float, uint32_t>(lexer);
  } else if constexpr (std::is_same_v<T, double>) {
    return parse_float_as<double, uint64_t>(lexer);
  } else if constexpr (std::is_integral_v<T>) {
    const TextToken token = lexer.take();
    T value = 0;
    if (token.kind != TextToken::Kind::Number || !read_number(token.text, value) ||
        (is_bool && value > 1))
      lexer.fail(token, fmt::format("`{}` is no element of this tensor", token.text));
    return value;
  } else {
    return parse_half<T>(lexer);
  }
}

Tensor parse_elements(TextLexer& lexer, const Type& type) {
  const TextToken start = lexer.peek();
  const int64_t count = type.shape.element_count();
  if (count > 4096) lexer.fail(start, "so many elements are given as hex bytes");
  Tensor tensor(type);
  lexer.expect('(');
  visit_dtype(type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto elements = tensor.span<T>();
    for (size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) lexer.expect(',');
      elements[i] = parse_element<T>(lexer, type.dtype == DType::Bool);
    }
  });
  lexer.expect(')');
  return tensor;
}

Tensor parse_bytes(TextLexer& lexer, const Type& type) {
  const TextToken digits = lexer.expect(TextToken::Kind::String, "the bytes in hexadecimal");
  if (static_cast<int64_t>(digits.decoded.size()) != type.size_bytes() * 2)
    lexer.fail(digits, fmt::format("{} has {} bytes, given are {} digits", to_string(type),
                                   type.size_bytes(), digits.decoded.size()));
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.size_bytes(); ++i) {
    uint8_t byte = 0;
    const std::string_view pair =
        std::string_view(digits.decoded).substr(2 * static_cast<size_t>(i), 2);
    if (!read_number(pair, byte, 16) || (type.dtype == DType::Bool && byte > 1))
      lexer.fail(digits, fmt::format("`{}` is no byte of this tensor", pair));
    tensor.raw()[i] = static_cast<std::byte>(byte);
  }
  return tensor;
}

}  // namespace

int64_t parse_integer(TextLexer& lexer, std::string_view what, int64_t lowest, int64_t highest) {
  const TextToken token = lexer.take();
  int64_t value = 0;
  if (token.kind != TextToken::Kind::Number || !read_number(token.text, value))
    lexer.fail(token, fmt::format("expected {}, got `{}`", what, token.text));
  if (value < lowest || value > highest)
    lexer.fail(token, fmt::format("{} is {}, out of range", what, value));
  return value;
}

std::vector<int64_t> parse_integers(TextLexer& lexer) {
  std::vector<int64_t> values;
  lexer.expect('[');
  if (lexer.accept(']')) return values;
  do {
    values.push_back(parse_integer(lexer, "an integer", std::numeric_limits<int64_t>::min(),
                                   std::numeric_limits<int64_t>::max()));
  } while (lexer.accept(','));
  lexer.expect(']');
  return values;
}

double parse_float(TextLexer& lexer) { return parse_float_as<double, uint64_t>(lexer); }

Type parse_type(TextLexer& lexer) {
  const TextToken token = lexer.expect(TextToken::Kind::Word, "a dtype");
  const std::optional<DType> dtype = parse_dtype(token.text);
  if (!dtype) lexer.fail(token, fmt::format("`{}` is no dtype", token.text));
  Type type{*dtype, Shape(parse_integers(lexer))};
  try {
    check_dims(type.shape);
  } catch (const Error& error) {
    lexer.fail(token, error.what(), error.code());
  }
  return type;
}

Tensor parse_tensor(TextLexer& lexer) {
  const Type type = parse_type(lexer);
  return lexer.accept("hex") ? parse_bytes(lexer, type) : parse_elements(lexer, type);
}

}  // namespace gradc
