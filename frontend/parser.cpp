// The parser's tokens, names, errors and recovery, and the way in.
#include "frontend/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "frontend/unicode.h"

namespace gradc {

Parser::NestingGuard::NestingGuard(Parser& parser, const Token& at) : parser_(parser) {
  if (parser.depth_ >= kMaxNesting)
    parser.fail("E0108", parser.span(at), fmt::format("nesting is deeper than {}", kMaxNesting),
                "name parts of the expression");
  ++parser.depth_;
}

Parser::Parser(SourcePtr source, Diagnostics& diagnostics)
    : source_(source), diagnostics_(diagnostics), lexer_(std::move(source), diagnostics) {}

const Token& Parser::peek(size_t ahead) {
  while (ahead_.size() <= ahead) ahead_.push_back(lexer_.next());
  return ahead_[ahead];
}

Token Parser::take() {
  const Token token = peek();
  ahead_.pop_front();
  if (token.kind == TokenKind::Newline) {
    has_slashes_ = false;
  } else {
    last_end_ = token.end;
  }
  if (token.kind == TokenKind::SlashSlash) {
    slashes_ = token;
    has_slashes_ = true;
  }
  return token;
}

bool Parser::at_word(std::string_view word) {
  const Token& token = peek();
  return token.kind == TokenKind::Identifier && !token.is_quoted && span(token).text() == word;
}

bool Parser::accept(TokenKind kind) {
  if (!at(kind)) return false;
  take();
  return true;
}

Token Parser::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) fail_expected(what);
  return take();
}

Token Parser::close(TokenKind kind, const Token& open) {
  if (at(kind)) return take();
  const Token token = peek();
  const std::string sign(span(open).text());
  if (token.kind == TokenKind::Newline || token.kind == TokenKind::EndOfFile) {
    diagnostics_.report(error("E0102", span(open), fmt::format("`{}` is never closed", sign))
                            .note("reading stopped here", span(token)));
    throw ParseFailure{};
  }
  const std::string closing = sign == "(" ? "`)`" : sign == "[" ? "`]`" : "`}`";
  if (sign == "(" && token.kind == TokenKind::Comma)
    fail_expected(closing, "parentheses only group; a list is written [a, b]");
  fail_expected(closing);
}

void Parser::skip_newlines() {
  while (at(TokenKind::Newline)) take();
}

/// A newline, `;`, or in front of `}`.
void Parser::end_statement() {
  if (at(TokenKind::RightBrace) || at(TokenKind::EndOfFile)) return;
  if (unclosed_at_ == peek().begin) return;
  if (!at(TokenKind::Newline)) fail_expected("the end of the statement");
  take();
}

/// To behind the newline that ends the statement, or in front of the `}` that closes its block.
void Parser::skip_statement(uint32_t brace_depth) {
  while (!at(TokenKind::EndOfFile)) {
    const Token& token = peek();
    if (token.kind == TokenKind::RightBrace && token.brace_depth < brace_depth) return;
    const bool is_end = token.kind == TokenKind::Newline && token.brace_depth <= brace_depth;
    take();
    if (is_end) return;
  }
}

/// Remembers the words from `begin` to the last token taken.
void Parser::note_unread_words(uint32_t begin) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  const std::string_view text = source_->text();
  for (uint32_t at = begin; at < last_end_;) {
    uint32_t end = at;
    while (end < last_end_ && is_part(text[end])) ++end;
    if (end > at) unread_words_.emplace(text.substr(at, end - at));
    at = end + 1;
  }
}

/// Behind a missing `}` nothing is known of what the block would have had.
void Parser::note_unclosed() {
  unclosed_at_ = peek().begin;
  unread_words_.insert("return");
}

void Parser::fail(std::string code, Span where, std::string message, std::string help) {
  diagnostics_.report(error(std::move(code), where, std::move(message)).with_help(std::move(help)));
  throw ParseFailure{};
}

void Parser::fail_expected(std::string_view what, std::string help) {
  const Token token = peek();
  if (token.kind == TokenKind::Bad) throw ParseFailure{};
  if (is_slashes_comment(token)) {
    const Token slashes = token.kind == TokenKind::SlashSlash ? token : slashes_;
    ahead_.clear();
    lexer_.skip_slashes_comment(slashes.begin);
    fail("E0104", span(slashes),
         fmt::format("`//` is floor division, and `{}` is no expression",
                     rest_of_line(source_->text(), slashes.end)),
         "comments start with `#`");
  }
  if (help.empty()) help = remedy_at(token);
  fail("E0101", span(token), fmt::format("expected {}, found {}", what, found(token)),
       std::move(help));
}

/// What stands behind `//` was meant as a comment: it does not begin like an operand, or words
/// follow each other.
bool Parser::is_slashes_comment(const Token& token) const {
  if (token.kind == TokenKind::SlashSlash) return true;
  if (!has_slashes_) return false;
  const std::string_view between =
      std::string_view(source_->text()).substr(slashes_.end, token.begin - slashes_.end);
  if (between.find('\n') != std::string_view::npos) return false;
  const bool is_first = between.find_first_not_of(" \t") == std::string_view::npos;
  return is_first || token.kind == TokenKind::Identifier || is_reserved_word(token.kind);
}

std::string Parser::found(const Token& token) const {
  switch (token.kind) {
    case TokenKind::EndOfFile:
      return "the end of the file";
    case TokenKind::Newline:
      return span(token).text() == ";" ? "`;`" : "the end of the line";
    case TokenKind::String:
      return "a string";
    default: {
      const std::string_view text = span(token).text();
      return is_reserved_word(token.kind) ? fmt::format("the reserved word `{}`", text)
                                          : fmt::format("`{}`", rest_of_line(text, 0));
    }
  }
}

/// Near misses of other languages.
std::string Parser::remedy_at(const Token& token) {
  const std::string_view text = span(token).text();
  const std::string_view before = std::string_view(source_->text()).substr(0, token.begin);
  const bool is_operator = token.kind >= TokenKind::Plus && token.kind <= TokenKind::At;
  if (is_operator && peek(1).kind == TokenKind::Assign && peek(1).begin == token.end)
    return fmt::format("an update is written in full: x := x {} …", text);
  const bool is_compound = token.kind == TokenKind::Assign && !before.empty() &&
                           std::string_view("+-*/%").find(before.back()) != std::string_view::npos;
  if (is_compound)
    return fmt::format("an update is written in full: x := x {} …",
                       before.substr(before.size() - 1));
  if (token.kind == TokenKind::Dot && peek(1).kind == TokenKind::Int)
    return fmt::format("write 0.{}", span(peek(1)).text());
  if (token.kind == TokenKind::Slash && peek(1).kind == TokenKind::Star)
    return "comments start with `#`";
  if (before.ends_with("/") && token.kind == TokenKind::Star) return "comments start with `#`";
  if (token.kind == TokenKind::If)
    return "a choice is written if c { a } else { b }, of tensors select(c, a, b)";
  if (token.kind == TokenKind::Else) return "`else` follows `}` on its line";
  if (token.kind == TokenKind::Colon && !before.empty())
    return "blocks are written in { }, types behind names: name: type";
  if (token.kind == TokenKind::Assign) return "two values are compared with `==`";
  if (token.kind == TokenKind::FatArrow) return "a function is written fn(x) => …";
  const bool is_sign = token.kind >= TokenKind::Plus && token.kind <= TokenKind::GreaterEqual;
  if (token.kind == TokenKind::Arrow || (is_sign && token.kind != TokenKind::Minus))
    return fmt::format(
        "an operator ends a line, never starts one: put `{}` at the end of the line "
        "before",
        text);
  if (is_reserved_word(token.kind) && token.kind != TokenKind::DTypeWord)
    return fmt::format("a name that is a reserved word is written in backquotes: `{}`", text);
  return {};
}

std::string Parser::doc(const Token& token) const {
  return token.doc < 0 ? std::string() : lexer_.doc(token.doc);
}

ast::Name Parser::name(std::string_view what) {
  const Token token = peek();
  if (token.kind != TokenKind::Identifier) {
    if (is_reserved_word(token.kind) && !is_slashes_comment(token)) {
      const std::string_view text = span(token).text();
      fail("E0105", span(token), fmt::format("`{}` is a reserved word, not {}", text, what),
           fmt::format("use another name, or write it in backquotes: `{}`", text));
    }
    fail_expected(what);
  }
  take();
  return {lexer_.identifier(token), span(token), token.is_quoted};
}

std::vector<ast::Name> Parser::names(std::string_view what) {
  std::vector<ast::Name> all;
  do {
    all.push_back(name(what));
  } while (accept(TokenKind::Comma) && !at(TokenKind::RightBracket));
  return all;
}

std::shared_ptr<const ast::File> parse(const SourcePtr& source, Diagnostics& diagnostics) {
  auto file = std::make_shared<ast::File>();
  file->source = source;
  if (!is_readable_text(*source, diagnostics)) return file;
  *file = Parser(source, diagnostics).file();
  return file;
}

ast::ExprPtr parse_expression(const SourcePtr& source, Diagnostics& diagnostics) {
  if (!is_readable_text(*source, diagnostics)) return nullptr;
  return Parser(source, diagnostics).only_expression();
}

bool is_readable_text(const Source& source, Diagnostics& diagnostics) {
  const std::string_view text = source.text();
  const auto place = [&](size_t offset) {
    return Span{&source, static_cast<uint32_t>(offset), static_cast<uint32_t>(offset + 1)};
  };
  if (text.size() > kMaxFileBytes) {
    diagnostics.report(error(
        "E0110", place(0), fmt::format("the file has {} bytes; the limit is 16 MB", text.size())));
    return false;
  }
  if (const auto invalid = find_invalid_utf8(text)) {
    diagnostics.report(
        error("E0109", place(*invalid),
              fmt::format("invalid UTF-8: byte 0x{:02X}", static_cast<uint8_t>(text[*invalid])))
            .with_help("save the file as UTF-8"));
    return false;
  }
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    diagnostics.report(error("E0109", place(zero), "a NUL byte: this is not a text file"));
    return false;
  }
  return true;
}

}  // namespace gradc
