// The tokens of model text that are spelled out: words, names in backquotes, numbers, strings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "frontend/lexer.h"
#include "frontend/unicode.h"
#include "runtime/core/dtype.h"

namespace gradc {
namespace {

struct Word {
  std::string_view text;
  TokenKind kind;
};

/// Sorted.
constexpr std::array kWords = {
    Word{"and", TokenKind::And},
    Word{"carry", TokenKind::Carry},
    Word{"collect", TokenKind::Collect},
    Word{"else", TokenKind::Else},
    Word{"false", TokenKind::False},
    Word{"fn", TokenKind::Fn},
    Word{"for", TokenKind::For},
    Word{"frozen", TokenKind::Frozen},
    Word{"if", TokenKind::If},
    Word{"import", TokenKind::Import},
    Word{"layer", TokenKind::Layer},
    Word{"loss", TokenKind::Loss},
    Word{"metric", TokenKind::Metric},
    Word{"model", TokenKind::Model},
    Word{"none", TokenKind::None},
    Word{"not", TokenKind::Not},
    Word{"optimizer", TokenKind::Optimizer},
    Word{"or", TokenKind::Or},
    Word{"output", TokenKind::Output},
    Word{"param", TokenKind::Param},
    Word{"penalty", TokenKind::Penalty},
    Word{"require", TokenKind::Require},
    Word{"return", TokenKind::Return},
    Word{"scan", TokenKind::Scan},
    Word{"shared", TokenKind::Shared},
    Word{"slot", TokenKind::Slot},
    Word{"state", TokenKind::State},
    Word{"train", TokenKind::Train},
    Word{"training", TokenKind::Training},
    Word{"true", TokenKind::True},
    Word{"var", TokenKind::Var},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct UnicodeEscape {
  /// Bytes of "{…}", 0 if it is malformed.
  uint32_t size = 0;
  std::string text;
};

/// `at` is behind "\u".
UnicodeEscape read_unicode_escape(std::string_view text, uint32_t at) {
  uint32_t end = at + 1;
  char32_t value = 0;
  if (at >= text.size() || text[at] != '{') return {};
  for (; end < text.size() && hex_value(text[end]) >= 0 && end - at <= 6; ++end)
    value = value * 16 + static_cast<char32_t>(hex_value(text[end]));
  if (end == at + 1 || end >= text.size() || text[end] != '}') return {};
  std::string encoded = encode_utf8(value);
  if (encoded.empty() || value == 0) return {};
  return {end + 1 - at, std::move(encoded)};
}

}  // namespace

bool is_reserved_word(TokenKind kind) {
  return kind >= TokenKind::And || kind == TokenKind::DTypeWord;
}

const std::vector<std::string>& reserved_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all;
    for (const Word& word : kWords) all.emplace_back(word.text);
    for (const DType dtype : kAllDTypes) all.emplace_back(name(dtype));
    return all;
  }();
  return words;
}

Token Lexer::word() {
  const uint32_t begin = offset_;
  while (is_letter(at(offset_)) || is_digit(at(offset_))) ++offset_;
  const std::string_view text = text_.substr(begin, offset_ - begin);
  const auto known = std::ranges::lower_bound(kWords, text, {}, &Word::text);
  if (known != kWords.end() && known->text == text) return make(known->kind, begin);
  return make(parse_dtype(text) ? TokenKind::DTypeWord : TokenKind::Identifier, begin);
}

Token Lexer::quoted_name() {
  const uint32_t begin = offset_;
  const size_t end = text_.find_first_of("`\n", begin + 1);
  if (end == std::string_view::npos || text_[end] == '\n') {
    const auto line_end = static_cast<uint32_t>(std::min(end, text_.size()));
    return bad("E0107", begin, line_end, "the name in backquotes does not end on its line");
  }
  const std::string_view name = text_.substr(begin + 1, end - begin - 1);
  const auto after = static_cast<uint32_t>(end + 1);
  if (name.empty()) return bad("E0107", begin, after, "a name in backquotes cannot be empty");
  if (name.find('.') != std::string_view::npos)
    return bad("E0107", begin, after,
               "a name cannot contain `.`: it separates the parts of a path");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(name, is_control))
    return bad("E0107", begin, after, "a name in backquotes cannot contain control characters");
  offset_ = after;
  Token token = make(TokenKind::Identifier, begin);
  token.is_quoted = true;
  return token;
}

std::string Lexer::identifier(const Token& token) const {
  const uint32_t trim = token.is_quoted ? 1 : 0;
  return std::string(text_.substr(token.begin + trim, token.end - token.begin - 2 * trim));
}

Token Lexer::number() {
  const uint32_t begin = offset_;
  const auto skip_digits = [&] {
    while (is_digit(at(offset_)) || at(offset_) == '_') ++offset_;
  };
  skip_digits();
  if (previous_ == TokenKind::Dot) return make(TokenKind::Int, begin);
  TokenKind kind = TokenKind::Int;
  if (at(offset_) == '.' && is_digit(at(offset_ + 1))) {
    kind = TokenKind::Float;
    ++offset_;
    skip_digits();
  }
  const bool has_sign = at(offset_ + 1) == '+' || at(offset_ + 1) == '-';
  if ((at(offset_) | 0x20) == 'e' && is_digit(at(offset_ + (has_sign ? 2 : 1)))) {
    kind = TokenKind::Float;
    offset_ += has_sign ? 2 : 1;
    skip_digits();
  }
  const bool ends_in_point = at(offset_) == '.' && at(offset_ + 1) != '.' && kind == TokenKind::Int;
  if (is_letter(at(offset_)) || (ends_in_point && !is_letter(at(offset_ + 1)))) {
    const std::string digits(text_.substr(begin, offset_ - begin));
    ++offset_;
    while (is_letter(at(offset_)) || is_digit(at(offset_))) ++offset_;
    const std::string written(text_.substr(begin, offset_ - begin));
    return bad("E0106", begin, offset_, fmt::format("`{}` is not a number", written),
               ends_in_point ? fmt::format("write `{}.0`", digits) : std::string());
  }
  return make(kind, begin);
}

Token Lexer::string() {
  const uint32_t begin = offset_++;
  while (offset_ < text_.size()) {
    const char c = text_[offset_];
    if (c == '"') {
      ++offset_;
      return make(TokenKind::String, begin);
    }
    if (c == '\n') break;
    if (c != '\\') {
      ++offset_;
      continue;
    }
    const char kind = at(offset_ + 1);
    const uint32_t unicode = kind == 'u' ? read_unicode_escape(text_, offset_ + 2).size : 0;
    if (kind != 'n' && kind != 't' && kind != '"' && kind != '\\' && unicode == 0) {
      const uint32_t escape = offset_;
      const size_t close = text_.find_first_of("\"\n", escape + 2);
      const bool is_closed = close != std::string_view::npos && text_[close] == '"';
      const uint32_t end = std::min(escape + 2, static_cast<uint32_t>(text_.size()));
      const Token token = bad("E0107", escape, end, "unknown escape in a string",
                              "known are \\n \\t \\\" \\\\ \\u{…}");
      if (is_closed) offset_ = static_cast<uint32_t>(close + 1);
      return token;
    }
    offset_ += 2 + unicode;
  }
  return bad("E0107", begin, offset_, "the string does not end on its line",
             "close it with `\"`; a line break inside is written \\n");
}

std::string Lexer::string_value(const Token& token) const {
  std::string value;
  for (uint32_t i = token.begin + 1; i + 1 < token.end; ++i) {
    if (text_[i] != '\\') {
      value += text_[i];
      continue;
    }
    const char kind = text_[++i];
    if (kind == 'u') {
      const UnicodeEscape unicode = read_unicode_escape(text_, i + 1);
      value += unicode.text;
      i += unicode.size;
    } else {
      value += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind;
    }
  }
  return value;
}

}  // namespace gradc
