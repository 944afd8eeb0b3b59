// Tokens: where statements end, numbers, names, strings, documentation.
#include "frontend/lexer.h"

#include <catch2/catch.hpp>

#include "frontend/unicode.h"

using namespace gradc;

namespace {

struct Lexed {
  std::string kinds;
  std::vector<std::string> texts;
  int errors = 0;
};

/// One letter a token: n newline, i identifier, d dtype word, 1 int, 2 float, s string, w word,
/// b bad, otherwise its first character.
Lexed lex(const std::string& text) {
  Diagnostics diagnostics;
  const auto source = Source::make("t.grad", text);
  Lexer lexer(source, diagnostics);
  Lexed lexed;
  for (Token token = lexer.next(); token.kind != TokenKind::EndOfFile; token = lexer.next()) {
    const std::string spelled(lexer.span(token).text());
    switch (token.kind) {
      case TokenKind::Newline:
        lexed.kinds += 'n';
        break;
      case TokenKind::Identifier:
        lexed.kinds += 'i';
        break;
      case TokenKind::DTypeWord:
        lexed.kinds += 'd';
        break;
      case TokenKind::Int:
        lexed.kinds += '1';
        break;
      case TokenKind::Float:
        lexed.kinds += '2';
        break;
      case TokenKind::String:
        lexed.kinds += 's';
        break;
      case TokenKind::Bad:
        lexed.kinds += 'b';
        break;
      default:
        lexed.kinds += is_reserved_word(token.kind) ? 'w' : spelled[0];
    }
    lexed.texts.push_back(token.kind == TokenKind::String       ? lexer.string_value(token)
                          : token.kind == TokenKind::Identifier ? lexer.identifier(token)
                                                                : spelled);
  }
  lexed.errors = diagnostics.error_count();
  return lexed;
}

}  // namespace

TEST_CASE("a statement ends at the newline") {
  CHECK(lex("a = 1\n\n\nb = 2").kinds == "i=1ni=1n");
  CHECK(lex("\n\n# only a comment\n").kinds == "");
  CHECK(lex("a = 1; b = 2;\n").kinds == "i=1ni=1n");
  CHECK(lex("a = 1 # x\r\nb\r\n").kinds == "i=1nin");
}

TEST_CASE("a statement goes on behind an operator and inside brackets") {
  for (const std::string sign :
       {"+",  "-", "*",  "/", "//", "%",  "@",  "**", "==",  "!=", "<",
        "<=", ">", ">=", ",", "=",  ":=", "=>", "->", "and", "or", "not"}) {
    INFO(sign);
    CHECK(lex("a " + sign + "\n b").kinds.find('n') == lex("a " + sign + "\n b").kinds.size() - 1);
  }
  CHECK(lex("f(\na,\n\nb\n)\n").kinds == "i(i,i)n");
  CHECK(lex("[\na\n][\n1]\n").kinds == "[i][1]n");
  CHECK(lex("f({\na\n})").kinds == "i({nin})n");
  CHECK(lex("}\nelse").kinds == "}nwn");
}

TEST_CASE("a word that starts a statement ends what is open") {
  CHECK(lex("f(a\nreturn b").kinds == "i(inwin");
  CHECK(lex("f([a\nmodel m(").kinds == "i([inwi(n");
  CHECK(lex("f(a,\nfn(x) => x,\nlayer(x) => x)").kinds == "i(i,w(i)=i,w(i)=i)n");
  CHECK(lex("f(a,\nlayer g(x)").kinds == "i(i,nwi(i)n");
}

TEST_CASE("numbers") {
  const Lexed lexed = lex("12 1_000 0.5 1e-3 2E+5 1e9 a.0.b x.1.2 3...4");
  CHECK(lexed.kinds == "112222i.1.ii.1.11.1n");
  CHECK(lexed.errors == 0);
  for (const std::string text : {"1.", "3x", "1.5q", "1e", "0x10"}) {
    INFO(text);
    CHECK(lex(text).errors == 1);
  }
}

TEST_CASE("names") {
  const Lexed lexed = lex("a _ _b C3 `median income` `state` `f32` f32 u8 state in");
  CHECK(lexed.kinds == "iiiiiiiddwin");
  CHECK(lexed.texts[4] == "median income");
  CHECK(lexed.texts[5] == "state");
  for (const std::string text : {"``", "`a", "`a\nb`", "`a.b`", "`a\tb`", "ä", "$"}) {
    INFO(text);
    CHECK(lex(text).errors >= 1);
  }
}

TEST_CASE("strings") {
  const Lexed lexed = lex(R"("" "a b" "\n\t\"\\" "\u{e9}\u{1F600}" "# no // comment")");
  CHECK(lexed.kinds == "sssssn");
  CHECK(lexed.texts[2] == "\n\t\"\\");
  CHECK(lexed.texts[3] == "\xC3\xA9\xF0\x9F\x98\x80");
  CHECK(lexed.texts[4] == "# no // comment");
  for (const std::string text : {"\"", "\"a\n\"", R"("\q")", R"("\u{}")", R"("\u{110000}")",
                                 R"("\u{D800}")", R"("\u{0}")", R"("\)", "\"\\"}) {
    INFO(text);
    CHECK(lex(text).errors >= 1);
  }
}

TEST_CASE("documentation belongs to the token behind it") {
  Diagnostics diagnostics;
  const auto source = Source::make("t.grad", "## one\n##  two\r\n# no\n##\nf ## three\n g");
  Lexer lexer(source, diagnostics);
  const Token first = lexer.next();
  REQUIRE(first.doc >= 0);
  CHECK(lexer.doc(first.doc) == "one\n two\n");
  CHECK(lexer.next().kind == TokenKind::Newline);
  const Token second = lexer.next();
  REQUIRE(second.doc >= 0);
  CHECK(lexer.doc(second.doc) == "three");
}

TEST_CASE("positions count lines and code points") {
  const auto source = Source::make("t.grad",
                                   "a\n\xC3\xA4\xE2\x82\xAC"
                                   "b\r\n\tc");
  CHECK(source->line_count() == 3);
  const Span b{source.get(), 7, 8};
  CHECK(b.text() == "b");
  CHECK(b.place() == "t.grad:2:3");
  CHECK(source->line(2) ==
        "\xC3\xA4\xE2\x82\xAC"
        "b");
  CHECK(source->position(11).column == 2);
  CHECK(source->position(9999).line == 3);
  CHECK(Span{}.place() == "");
}

TEST_CASE("UTF-8 is checked to the letter") {
  const auto is_valid = [](std::string_view text) { return !find_invalid_utf8(text); };
  CHECK(is_valid("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const std::string_view text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"})
    CHECK_FALSE(is_valid(text));
  for (const char32_t value :
       {U'\x7F', U'\x80', U'\x7FF', U'\x800', U'\xFFFF', U'\x10000', U'\x10FFFF'}) {
    const std::string encoded = encode_utf8(value);
    CHECK(is_valid(encoded));
    CHECK(code_point(encoded, 0) == value);
    CHECK(character_size(encoded, 0) == encoded.size());
  }
  CHECK(count_code_points("a\xC3\xA4\xFF") == 3);
}
