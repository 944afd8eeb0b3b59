// Words, numbers, strings, value names and marks of the text form, with their places.
#pragma once
#include <string>
#include <string_view>

#include "runtime/core/error.h"

namespace gradc {

/// A token of the text. `text` points into it; of a String, `decoded` is the content.
struct TextToken {
  enum class Kind : uint8_t { Word, Number, String, Value, Mark, End };
  Kind kind = Kind::End;
  std::string_view text;
  std::string decoded;
  int32_t line = 1;
  int32_t column = 1;

  bool is(char mark) const { return kind == Kind::Mark && text[0] == mark; }
  bool is(std::string_view word) const { return kind == Kind::Word && text == word; }
};

/// Reads one token ahead. The text outlives it. All errors are Error (ModelOrData, E0110) that
/// start with file:line:column.
class TextLexer {
 public:
  TextLexer(std::string_view text, std::string file);

  const TextToken& peek() const { return next_; }
  TextToken take();
  /// Takes the mark or word if it is next.
  bool accept(char mark);
  bool accept(std::string_view word);
  void expect(char mark);
  void expect(std::string_view word);
  /// Takes a token of the kind; `what` names it in the error.
  TextToken expect(TextToken::Kind kind, std::string_view what);

  /// Always throws: "file:line:column: message".
  [[noreturn]] void fail(const TextToken& at, const std::string& message,
                         const std::string& code = "E0110") const;

 private:
  void skip_blanks();
  void read_next();
  void read_string();

  std::string_view text_;
  std::string file_;
  size_t position_ = 0;
  size_t line_start_ = 0;
  int32_t line_ = 1;
  TextToken next_;
};

}  // namespace gradc
