// Model text to tokens: white space, comments, newlines, signs and brackets.
// Words, names, numbers and strings are in lex_words.cpp.
#include "frontend/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/parse.h"
#include "frontend/unicode.h"

namespace gradc {
namespace {

struct Sign {
  std::string_view text;
  TokenKind kind;
};

/// Longest first.
constexpr std::array kSigns = {
    Sign{"...", TokenKind::Ellipsis},  Sign{":=", TokenKind::Update},
    Sign{"=>", TokenKind::FatArrow},   Sign{"->", TokenKind::Arrow},
    Sign{"**", TokenKind::StarStar},   Sign{"//", TokenKind::SlashSlash},
    Sign{"==", TokenKind::EqualEqual}, Sign{"!=", TokenKind::NotEqual},
    Sign{"<=", TokenKind::LessEqual},  Sign{">=", TokenKind::GreaterEqual},
    Sign{"(", TokenKind::LeftParen},   Sign{")", TokenKind::RightParen},
    Sign{"[", TokenKind::LeftBracket}, Sign{"]", TokenKind::RightBracket},
    Sign{"{", TokenKind::LeftBrace},   Sign{"}", TokenKind::RightBrace},
    Sign{",", TokenKind::Comma},       Sign{".", TokenKind::Dot},
    Sign{":", TokenKind::Colon},       Sign{"=", TokenKind::Assign},
    Sign{"+", TokenKind::Plus},        Sign{"-", TokenKind::Minus},
    Sign{"*", TokenKind::Star},        Sign{"/", TokenKind::Slash},
    Sign{"%", TokenKind::Percent},     Sign{"@", TokenKind::At},
    Sign{"<", TokenKind::Less},        Sign{">", TokenKind::Greater},
};

bool continues_line(TokenKind kind) {
  if (kind >= TokenKind::Plus && kind <= TokenKind::GreaterEqual) return true;
  switch (kind) {
    case TokenKind::Comma:
    case TokenKind::Assign:
    case TokenKind::Update:
    case TokenKind::FatArrow:
    case TokenKind::Arrow:
    case TokenKind::And:
    case TokenKind::Or:
    case TokenKind::Not:
      return true;
    default:
      return false;
  }
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view word_at(std::string_view text, uint32_t offset) {
  uint32_t end = offset;
  while (end < text.size() && is_word_character(text[end])) ++end;
  return text.substr(offset, end - offset);
}

/// What to write instead of a sign of another language.
std::string_view remedy_for(std::string_view rest) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRemedies = {{
      {"&&", "write `and`"},
      {"||", "write `or`"},
      {"&", "write `and`; it is elementwise on bool tensors"},
      {"|", "write `or`; it is elementwise on bool tensors"},
      {"^", "a power is written `x ** 2`"},
      {"!", "write `not`"},
      {"?", "a choice is written: if condition { a } else { b }"},
      {"'", "strings are written in double quotes: \"…\""},
      {"\\",
       "no sign is needed to continue a line: inside ( ) and [ ], and after an operator or a "
       "comma, the statement goes on"},
  }};
  for (const auto& [sign, remedy] : kRemedies)
    if (rest.starts_with(sign)) return remedy;
  return {};
}

}  // namespace

std::string rest_of_line(std::string_view text, uint32_t offset) {
  std::string_view rest = text.substr(std::min<size_t>(offset, text.size()));
  rest = rest.substr(0, rest.find_first_of("\r\n"));
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) rest.remove_suffix(1);
  constexpr size_t kLongest = 40;
  if (rest.size() <= kLongest) return std::string(rest);
  size_t size = 0;
  while (size < kLongest) size += character_size(rest, size);
  return std::string(rest.substr(0, size)) + "…";
}

Lexer::Lexer(SourcePtr source, Diagnostics& diagnostics)
    : source_(std::move(source)), text_(source_->text()), diagnostics_(diagnostics) {
  if (text_.starts_with("\xEF\xBB\xBF")) offset_ = 3;
}

Token Lexer::make(TokenKind kind, uint32_t begin) {
  Token token{.kind = kind, .brace_depth = brace_depth_, .begin = begin, .end = offset_};
  if (has_pending_doc_ && kind != TokenKind::Newline && kind != TokenKind::Bad) {
    token.doc = static_cast<int32_t>(docs_.size());
    docs_.push_back(std::move(pending_doc_));
    pending_doc_.clear();
    has_pending_doc_ = false;
  }
  previous_ = kind;
  return token;
}

Token Lexer::next() {
  const bool is_end_of_statement = skip_to_token();
  const uint32_t begin = offset_;
  if (is_end_of_statement) return make(TokenKind::Newline, begin);
  if (offset_ >= text_.size()) {
    if (previous_ != TokenKind::Newline && previous_ != TokenKind::EndOfFile)
      return make(TokenKind::Newline, begin);
    return make(TokenKind::EndOfFile, begin);
  }
  const char c = text_[offset_];
  if (c >= '0' && c <= '9') return number();
  if (is_word_character(c)) return word();
  if (c == '"') return string();
  if (c == '`') return quoted_name();
  if (c == ';') {
    ++offset_;
    return make(TokenKind::Newline, begin);
  }
  return sign();
}

/// Skips white space and comments; true where a statement ends (the line end is consumed).
bool Lexer::skip_to_token() {
  while (offset_ < text_.size()) {
    const char c = text_[offset_];
    if (c == ' ' || c == '\t' || (c == '\r' && at(offset_ + 1) == '\n')) {
      ++offset_;
    } else if (c == '#') {
      skip_comment();
    } else if (c != '\n') {
      return false;
    } else if (end_line()) {
      return true;
    }
  }
  return false;
}

void Lexer::skip_comment() {
  const uint32_t begin = offset_;
  const size_t end = std::min(text_.find('\n', offset_), text_.size());
  offset_ = static_cast<uint32_t>(end);
  std::string_view line = text_.substr(begin, end - begin);
  if (!line.starts_with("##")) return;
  line.remove_prefix(line.starts_with("## ") ? 3 : 2);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (has_pending_doc_) pending_doc_ += '\n';
  pending_doc_ += line;
  has_pending_doc_ = true;
}

bool Lexer::end_line() {
  slashes_.reset();
  ++offset_;
  const bool is_inside = !brackets_.empty() && brackets_.back().sign != '{';
  if (is_inside) {
    if (!starts_statement(offset_)) return false;
    close_open_brackets();
    return true;
  }
  return previous_ != TokenKind::Newline && !continues_line(previous_);
}

/// The line at `offset` begins with a word that no expression contains.
bool Lexer::starts_statement(uint32_t offset) const {
  while (at(offset) == ' ' || at(offset) == '\t') ++offset;
  const std::string_view first = word_at(text_, offset);
  constexpr std::array<std::string_view, 17> kStatementWords = {
      "carry",   "collect", "import", "metric", "model", "optimizer", "output", "param", "penalty",
      "require", "return",  "scan",   "shared", "slot",  "state",     "train",  "var"};
  if (first.empty()) return false;
  if (first != "fn" && first != "layer")
    return std::ranges::find(kStatementWords, first) != kStatementWords.end();
  offset += static_cast<uint32_t>(first.size());
  if (at(offset) != ' ') return false;
  while (at(offset) == ' ') ++offset;
  return !word_at(text_, offset).empty();
}

void Lexer::close_open_brackets() {
  while (!brackets_.empty() && brackets_.back().sign != '{') brackets_.pop_back();
}

Token Lexer::sign() {
  const std::string_view rest = text_.substr(offset_);
  for (const Sign& known : kSigns) {
    if (!rest.starts_with(known.text)) continue;
    const uint32_t begin = offset_;
    offset_ += static_cast<uint32_t>(known.text.size());
    if (known.kind == TokenKind::SlashSlash && !slashes_) slashes_ = begin;
    track_bracket(known.kind, begin);
    const Token token = make(known.kind, begin);
    if (known.kind == TokenKind::LeftBrace) ++brace_depth_;
    return token;
  }
  return bad_character();
}

void Lexer::track_bracket(TokenKind kind, uint32_t begin) {
  switch (kind) {
    case TokenKind::LeftParen:
    case TokenKind::LeftBracket:
      brackets_.push_back({text_[begin], begin});
      break;
    case TokenKind::LeftBrace:
      brackets_.push_back({'{', begin});
      break;
    case TokenKind::RightParen:
    case TokenKind::RightBracket:
      if (!brackets_.empty() && brackets_.back().sign != '{') brackets_.pop_back();
      break;
    case TokenKind::RightBrace:
      close_open_brackets();
      if (!brackets_.empty()) brackets_.pop_back();
      if (brace_depth_ > 0) --brace_depth_;
      break;
    default:
      break;
  }
  if (brackets_.size() > static_cast<size_t>(kMaxNesting)) {
    diagnostics_.report(error("E0108", {source_.get(), begin, offset_},
                              fmt::format("brackets are nested more than {} deep", kMaxNesting)));
    offset_ = static_cast<uint32_t>(text_.size());
    brackets_.clear();
  }
}

Token Lexer::bad_character() {
  const uint32_t begin = offset_;
  const auto size = static_cast<uint32_t>(character_size(text_, begin));
  const std::string_view rest = text_.substr(begin);
  const char32_t value = code_point(text_, begin);
  const std::string shown =
      value < 0x20 || value == 0x7F ? fmt::format("U+{:04X}", static_cast<uint32_t>(value))
      : value < 0x80
          ? fmt::format("`{}`", rest.substr(0, 1))
          : fmt::format("`{}` (U+{:04X})", rest.substr(0, size), static_cast<uint32_t>(value));
  std::string help(remedy_for(rest));
  if (rest.front() == '\'') {
    const size_t close = rest.find_first_of("'\r\n", 1);
    const bool is_string = close != std::string_view::npos && rest[close] == '\'';
    const auto length = static_cast<uint32_t>(is_string ? close + 1 : 1);
    return bad("E0111", begin, begin + length, "unexpected character " + shown, std::move(help));
  }
  if (help.empty() && value >= 0x80)
    help = "names of other characters than letters, digits and _ are written in backquotes";
  return bad("E0111", begin, begin + size, "unexpected character " + shown, std::move(help));
}

/// Reports and skips to `end`. On a line with `//` the text was meant as a comment.
Token Lexer::bad(std::string code, uint32_t begin, uint32_t end, std::string message,
                 std::string help) {
  if (slashes_) {
    const uint32_t slashes = *slashes_;
    offset_ = static_cast<uint32_t>(std::min(text_.find('\n', begin), text_.size()));
    diagnostics_.report(error("E0104", {source_.get(), slashes, slashes + 2},
                              fmt::format("`//` is floor division, and `{}` is no expression",
                                          rest_of_line(text_, slashes + 2)))
                            .with_help("comments start with `#`"));
    return make(TokenKind::Bad, begin);
  }
  offset_ = end;
  diagnostics_.report(
      error(std::move(code), {source_.get(), begin, end}, std::move(message)).with_help(help));
  return make(TokenKind::Bad, begin);
}

}  // namespace gradc
