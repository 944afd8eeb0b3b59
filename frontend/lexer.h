// Model text to tokens, one at a time.
//
// A statement ends at the newline, except inside ( ) and [ ] (a { } inside them counts again) and
// after an operator, `,`, `=`, `:=`, `=>` or `->`: only newlines that end a statement become
// tokens, one for any number of lines. A line inside ( ) or [ ] that starts with a word no
// expression can contain (`param`, `return`, `model` …) ends what is open, so that a forgotten
// bracket spoils one statement and not the file.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diagnostics.h"
#include "frontend/source.h"

namespace gradc {

enum class TokenKind : uint8_t {
  EndOfFile,
  Newline,
  /// Reported already; whoever meets it gives up in silence.
  Bad,
  Identifier,
  /// bool, u8, i32 …: an identifier in types and expressions, never a bound name.
  DTypeWord,
  Int,
  Float,
  String,
  // Signs, lexer.cpp has their spelling.
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Comma,
  Dot,
  Ellipsis,
  Colon,
  Assign,
  Update,
  FatArrow,
  Arrow,
  Plus,
  Minus,
  Star,
  StarStar,
  Slash,
  SlashSlash,
  Percent,
  At,
  EqualEqual,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  // Reserved words, lex_words.cpp has their spelling.
  And,
  Carry,
  Collect,
  Else,
  False,
  Fn,
  For,
  Frozen,
  If,
  Import,
  Layer,
  Loss,
  Metric,
  Model,
  None,
  Not,
  Optimizer,
  Or,
  Output,
  Param,
  Penalty,
  Require,
  Return,
  Scan,
  Shared,
  Slot,
  State,
  Train,
  Training,
  True,
  Var
};

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  /// An Identifier in backquotes.
  bool is_quoted = false;
  /// `{` that are open in front of it; for `}` after it.
  uint32_t brace_depth = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
  /// Index of the `##` text in front of it, or -1.
  int32_t doc = -1;
};

bool is_reserved_word(TokenKind kind);
/// The reserved words, dtype words included.
const std::vector<std::string>& reserved_words();

class Lexer {
 public:
  /// Lexes valid UTF-8 without NUL.
  Lexer(SourcePtr source, Diagnostics& diagnostics);

  /// The next token; EndOfFile for ever at the end.
  Token next();

  /// Takes the text behind the `//` of the token's line as the comment it was meant to be: goes on
  /// at the end of that line, with the brackets that were open at the `//`.
  void skip_slashes_comment(uint32_t slashes);

  const std::string& doc(int32_t index) const { return docs_[static_cast<size_t>(index)]; }
  Span span(const Token& token) const { return {source_.get(), token.begin, token.end}; }
  /// The text of an Identifier without backquotes.
  std::string identifier(const Token& token) const;
  /// The contents of a String with its escapes replaced. Bad escapes were reported by next().
  std::string string_value(const Token& token) const;

 private:
  bool skip_to_token();
  void skip_comment();
  bool end_line();
  bool starts_statement(uint32_t offset) const;
  void close_open_brackets();
  Token make(TokenKind kind, uint32_t begin);
  Token word();
  Token quoted_name();
  Token number();
  Token string();
  Token sign();
  void track_bracket(TokenKind kind, char sign);
  Token bad_character();
  Token bad(std::string code, uint32_t begin, uint32_t end, std::string message,
            std::string help = {});
  char at(uint32_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

  SourcePtr source_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  uint32_t offset_ = 0;
  TokenKind previous_ = TokenKind::Newline;
  /// Open brackets, outermost first.
  std::string brackets_;
  uint32_t brace_depth_ = 0;
  /// Behind the last token.
  uint32_t last_end_ = 0;
  std::vector<std::string> docs_;
  std::string pending_doc_;
  bool has_pending_doc_ = false;
  /// The first `//` of the current line, and what was open there.
  struct Slashes {
    uint32_t begin;
    std::string brackets;
    uint32_t brace_depth;
  };
  std::optional<Slashes> slashes_;
};

/// `hidden layer` of "x // hidden layer": the rest of the line from `offset`, trimmed, shortened.
std::string rest_of_line(std::string_view text, uint32_t offset);

}  // namespace gradc
