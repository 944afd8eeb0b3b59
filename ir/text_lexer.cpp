// Cuts the text form into tokens. Line ends are blanks; # starts a comment.
#include "ir/text_lexer.h"

namespace gradc {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word_part(char c) { return is_word_start(c) || is_digit(c) || c == '.'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

TextLexer::TextLexer(std::string_view text, std::string file)
    : text_(text), file_(std::move(file)) {
  read_next();
}

TextToken TextLexer::take() {
  TextToken token = std::move(next_);
  read_next();
  return token;
}

bool TextLexer::accept(char mark) {
  if (!next_.is(mark)) return false;
  read_next();
  return true;
}

bool TextLexer::accept(std::string_view word) {
  if (!next_.is(word)) return false;
  read_next();
  return true;
}

void TextLexer::expect(char mark) {
  if (!accept(mark)) fail(next_, fmt::format("expected `{}`", mark));
}

void TextLexer::expect(std::string_view word) {
  if (!accept(word)) fail(next_, fmt::format("expected `{}`", word));
}

TextToken TextLexer::expect(TextToken::Kind kind, std::string_view what) {
  if (next_.kind != kind) fail(next_, fmt::format("expected {}", what));
  return take();
}

void TextLexer::fail(const TextToken& at, const std::string& message,
                     const std::string& code) const {
  throw Error(ExitCode::ModelOrData, code,
              fmt::format("{}:{}:{}: {}", file_, at.line, at.column, message));
}

void TextLexer::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '#') {
      while (position_ < text_.size() && text_[position_] != '\n') ++position_;
    } else if (c == '\n') {
      ++line_;
      line_start_ = ++position_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++position_;
    } else {
      return;
    }
  }
}

void TextLexer::read_next() {
  skip_blanks();
  next_ = {};
  next_.line = line_;
  next_.column = static_cast<int32_t>(position_ - line_start_) + 1;
  if (position_ == text_.size()) return;
  const size_t start = position_;
  const char c = text_[position_];
  const auto take_word = [&] {
    while (position_ < text_.size() && is_word_part(text_[position_])) ++position_;
  };
  if (c == '"') return read_string();
  ++position_;
  if (is_word_start(c)) {
    next_.kind = TextToken::Kind::Word;
    take_word();
  } else if (is_digit(c) || c == '-') {
    next_.kind = TextToken::Kind::Number;
    take_word();
    const bool has_exponent = text_[position_ - 1] == 'e' && position_ < text_.size() &&
                              (text_[position_] == '-' || text_[position_] == '+');
    if (has_exponent) {
      ++position_;
      take_word();
    }
  } else if (c == '%') {
    next_.kind = TextToken::Kind::Value;
    take_word();
  } else {
    next_.kind = TextToken::Kind::Mark;
  }
  next_.text = text_.substr(start, position_ - start);
}

void TextLexer::read_string() {
  next_.kind = TextToken::Kind::String;
  const size_t start = position_++;
  while (true) {
    if (position_ >= text_.size() || text_[position_] == '\n') fail(next_, "unclosed string");
    char c = text_[position_++];
    if (c == '"') break;
    if (c == '\\') {
      const std::string_view escape = text_.substr(position_, 3);
      if (escape.size() == 3 && escape[0] == 'x' && hex_digit(escape[1]) >= 0 &&
          hex_digit(escape[2]) >= 0) {
        c = static_cast<char>(hex_digit(escape[1]) * 16 + hex_digit(escape[2]));
        position_ += 3;
      } else if (!escape.empty() &&
                 std::string_view("\"\\n").find(escape[0]) != std::string::npos) {
        c = escape[0] == 'n' ? '\n' : escape[0];
        ++position_;
      } else {
        fail(next_, "unknown escape in a string");
      }
    }
    next_.decoded.push_back(c);
  }
  next_.text = text_.substr(start, position_ - start);
}

}  // namespace gradc
