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

struct Remedy {
  std::string_view sign;
  std::string_view help;
};

/// What to write instead of a sign of another language; null for other characters.
const Remedy* remedy_for(std::string_view rest) {
  static constexpr std::array<Remedy, 13> kRemedies = {{
      {"&&", "write `and`"},
      {"||", "write `or`"},
      {"&", "write `and`; it is elementwise on bool tensors"},
      {"|", "write `or`; it is elementwise on bool tensors"},
      {"^", "a power is written `x ** 2`"},
      {"!", "write `not`"},
      {"?", "a choice is written: if condition { a } else { b }"},
      {"'", "strings are written in double quotes: \"…\""},
      {"\u201C", "strings are written in plain double quotes: \"…\""},
      {"\u201D", "strings are written in plain double quotes: \"…\""},
      {"\u2018", "strings are written in plain double quotes: \"…\""},
      {"\u2019", "strings are written in plain double quotes: \"…\""},
      {"\\",
       "no sign is needed to continue a line: inside ( ) and [ ], and after an operator or a "
       "comma, the statement goes on"},
  }};
  const auto found = std::ranges::find_if(
      kRemedies, [&](const Remedy& remedy) { return rest.starts_with(remedy.sign); });
  return found == kRemedies.end() ? nullptr : &*found;
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
  if (kind != TokenKind::Newline) last_end_ = offset_;
  previous_ = kind;
  return token;
}

Token Lexer::next() {
  const bool is_end_of_statement = skip_to_token();
  const uint32_t begin = offset_;
  const bool is_at_end = offset_ >= text_.size();
  const bool is_open = previous_ != TokenKind::Newline && previous_ != TokenKind::EndOfFile;
  if (is_end_of_statement || (is_at_end && is_open)) {
    // It stands behind what it ends, not behind a comment.
    Token token = make(TokenKind::Newline, begin);
    token.begin = token.end = last_end_;
    return token;
  }
  if (is_at_end) return make(TokenKind::EndOfFile, begin);
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
  const bool is_inside = !brackets_.empty() && brackets_.back() != '{';
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
  while (!brackets_.empty() && brackets_.back() != '{') brackets_.pop_back();
}

Token Lexer::sign() {
  const std::string_view rest = text_.substr(offset_);
  for (const Sign& known : kSigns) {
    if (!rest.starts_with(known.text)) continue;
    const uint32_t begin = offset_;
    offset_ += static_cast<uint32_t>(known.text.size());
    constexpr size_t kDeepest = kMaxNesting;
    if (known.kind == TokenKind::SlashSlash && !slashes_ && brackets_.size() <= kDeepest)
      slashes_ = Slashes{begin, brackets_, brace_depth_};
    track_bracket(known.kind, text_[begin]);
    const Token token = make(known.kind, begin);
    if (known.kind == TokenKind::LeftBrace) ++brace_depth_;
    return token;
  }
  return bad_character();
}

void Lexer::track_bracket(TokenKind kind, char sign) {
  switch (kind) {
    case TokenKind::LeftParen:
    case TokenKind::LeftBracket:
    case TokenKind::LeftBrace:
      brackets_ += sign;
      break;
    case TokenKind::RightParen:
    case TokenKind::RightBracket:
      if (!brackets_.empty() && brackets_.back() != '{') brackets_.pop_back();
      break;
    case TokenKind::RightBrace:
      close_open_brackets();
      if (!brackets_.empty()) brackets_.pop_back();
      if (brace_depth_ > 0) --brace_depth_;
      break;
    default:
      break;
  }
}

Token Lexer::bad_character() {
  const uint32_t begin = offset_;
  const auto size = static_cast<uint32_t>(character_size(text_, begin));
  const std::string_view rest = text_.substr(begin);
  const char32_t value = code_point(text_, begin);
  const bool is_control = value < 0x20 || value == 0x7F;
  std::string shown = fmt::format("U+{:04X}", static_cast<uint32_t>(value));
  if (!is_control && value < 0x80) shown = fmt::format("`{}`", rest.substr(0, 1));
  if (value >= 0x80) shown = fmt::format("`{}` ({})", rest.substr(0, size), shown);
  const std::string message = "unexpected character " + shown;
  const Remedy* remedy = remedy_for(rest);
  uint32_t end = begin + (remedy ? static_cast<uint32_t>(remedy->sign.size()) : size);
  if (rest.front() == '\'') {
    const size_t close = rest.find_first_of("'\r\n", 1);
    if (close != std::string_view::npos && rest[close] == '\'')
      end = begin + static_cast<uint32_t>(close + 1);
  }
  if (remedy) return bad("E0111", begin, end, message, std::string(remedy->help));
  return bad("E0111", begin, end, message,
             value < 0x80 ? ""
                          : "names of other characters than letters, digits and _ are written in "
                            "backquotes");
}

void Lexer::skip_slashes_comment(uint32_t slashes) {
  if (slashes_ && slashes_->begin == slashes) {
    brackets_ = slashes_->brackets;
    brace_depth_ = slashes_->brace_depth;
  }
  offset_ = static_cast<uint32_t>(std::min(text_.find('\n', slashes), text_.size()));
  previous_ = TokenKind::Bad;
}

/// Reports and skips to `end`. On a line with `//` the text was meant as a comment.
Token Lexer::bad(std::string code, uint32_t begin, uint32_t end, std::string message,
                 std::string help) {
  if (slashes_) {
    const uint32_t slashes = slashes_->begin;
    diagnostics_.report(error("E0104", {source_.get(), slashes, slashes + 2},
                              fmt::format("`//` is floor division, and `{}` is no expression",
                                          rest_of_line(text_, slashes + 2)))
                            .with_help("comments start with `#`"));
    skip_slashes_comment(slashes);
    return make(TokenKind::Bad, begin);
  }
  offset_ = end;
  diagnostics_.report(
      error(std::move(code), {source_.get(), begin, end}, std::move(message)).with_help(help));
  return make(TokenKind::Bad, begin);
}

}  // namespace gradc
